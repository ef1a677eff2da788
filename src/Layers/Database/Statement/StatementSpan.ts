/**
 * The spans of statements, in a fiber whose trace is sampled. Other fibers pay for none.
 *
 * Source: OpenTelemetry semantic conventions for SQL databases.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { hasProperty } from "effect/Predicate"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import * as Stream from "effect/Stream"
import type * as Tracer from "effect/Tracer"
import type * as Summary from "./Summary.ts"

/** The attributes that all spans of a client have. */
export type Attributes = ReadonlyArray<readonly [string, unknown]>

/**
 * Whether a fiber is inside a span that is kept. Outside of one, as in a check that runs every few
 * seconds, each statement would be a trace of its own.
 */
export const isSampled = ({ cache }: Fiber.Fiber<unknown, unknown>): boolean =>
  cache.span?.sampled === true && cache.tracer !== undefined && cache.tracerEnabled

/** The statement that a fiber runs. Its connection may be taken from the pool deep inside. */
const running = new WeakMap<Fiber.Fiber<unknown, unknown>, Tracer.Span>()

const describe = (
  span: Tracer.Span,
  attributes: Attributes,
  { name, operation, target, text }: Summary.Summary
): void => {
  for (const [key, value] of attributes) span.attribute(key, value)
  if (target !== undefined) span.attribute("db.collection.name", target)
  if (operation !== undefined) span.attribute("db.operation.name", operation)
  span.attribute("db.query.summary", name)
  span.attribute("db.query.text", text)
}

/** Runs a statement in its span. */
export const around = <A>(
  fiber: Fiber.Fiber<unknown, unknown>,
  attributes: Attributes,
  summary: Summary.Summary,
  statement: (span: Tracer.Span) => Effect.Effect<A, SqlError>
): Effect.Effect<A, SqlError> =>
  Effect.useSpan(summary.name, { kind: "client" }, (span) => {
    describe(span, attributes, summary)
    running.set(fiber, span)
    return Effect.onExitPrimitive(statement(span), (exit) => {
      running.delete(fiber)
      ended(span, exit)
      return undefined
    })
  })

/** Streams the rows of a statement in its span, which ends with the stream. */
export const aroundStream = <A>(
  attributes: Attributes,
  summary: Summary.Summary,
  rows: (span: Tracer.Span) => Stream.Stream<A, SqlError>
): Stream.Stream<A, SqlError> =>
  Stream.unwrap(
    Effect.map(Effect.makeSpanScoped(summary.name, { kind: "client" }), (span) => {
      describe(span, attributes, summary)
      let count = 0
      return rows(span).pipe(
        Stream.mapArray((some) => {
          count += some.length
          return some
        }),
        Stream.onExit((exit) =>
          Effect.sync(() => {
            ended(span, exit)
            span.attribute("db.response.returned_rows", count)
          })
        )
      )
    })
  )

const rowsOf = (value: unknown): ReadonlyArray<unknown> | undefined => {
  if (Array.isArray(value)) return value
  return hasProperty(value, "rows") && Array.isArray(value.rows) ? value.rows : undefined
}

/** Shows how a statement ended. */
const ended = (span: Tracer.Span, exit: Exit.Exit<unknown, unknown>): void => {
  if (exit._tag === "Success") {
    const rows = rowsOf(exit.value)
    if (rows !== undefined) span.attribute("db.response.returned_rows", rows.length)
    return
  }
  for (const reason of exit.cause.reasons) {
    if (reason._tag === "Fail" && isSqlError(reason.error)) return failed(span, reason.error)
  }
}

/** Shows the code of the database: the SQLSTATE, and on MySQL the number of the error beside it. */
const failed = (span: Tracer.Span, { reason }: SqlError): void => {
  const { cause } = reason
  const text = (key: "code" | "errno" | "sqlState"): string | undefined => {
    const value = hasProperty(cause, key) ? cause[key] : undefined
    return typeof value === "string" || typeof value === "number" ? String(value) : undefined
  }
  const sqlState = text("sqlState") ?? (hasProperty(cause, "severity") ? text("code") : undefined)
  const status = text("sqlState") === undefined ? sqlState : text("errno")
  if (status !== undefined) span.attribute("db.response.status_code", status)
  span.attribute("error.type", sqlState ?? reason._tag)
}

/** Runs the wait for a connection, and shows on the span of its statement how long it took. */
export const waiting = <A, E, R>(
  acquire: Effect.Effect<A, E, R>,
  span: Tracer.Span | undefined
): Effect.Effect<A, E, R> => {
  if (span === undefined) return acquire
  return Effect.withFiber((fiber) => {
    const clock = fiber.getRef(Clock.Clock)
    const start = clock.monotonicTimeNanosUnsafe()
    return Effect.onExitPrimitive(acquire, () => {
      const waited = Number(clock.monotonicTimeNanosUnsafe() - start) / 1e6
      span.attribute("db.client.connection.wait_time_ms", waited)
      return undefined
    })
  })
}

/** Measures the wait for a connection as `waiting` does, on the span of the statement that the fiber runs. */
export const waitingInside = <A, E, R>(acquire: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => waiting(acquire, running.get(fiber)))

interface Transaction {
  readonly attributes: Attributes
  readonly span: Tracer.AnySpan
}

/** The spans of transactions, by their connections. */
const transactions = new WeakMap<object, Transaction>()

/** Keeps the span of the transaction in which a fiber runs, for the end of the transaction. */
export const begun = (
  connection: object,
  attributes: Attributes,
  fiber: Fiber.Fiber<unknown, unknown>
): void => {
  const { span } = fiber.cache
  if (span !== undefined && isSampled(fiber)) transactions.set(connection, { attributes, span })
}

/** Runs a statement that the client sends by itself, such as `COMMIT`, in a span of the transaction. */
export const control = <A>(
  connection: object,
  sql: string,
  statement: Effect.Effect<A, SqlError>
): Effect.Effect<A, SqlError> => {
  const transaction = transactions.get(connection)
  if (transaction === undefined) return statement
  const { attributes, span: parent } = transaction
  return Effect.useSpan(sql, { kind: "client", parent }, (span) => {
    for (const [key, value] of attributes) span.attribute(key, value)
    span.attribute("db.operation.name", sql)
    span.attribute("db.query.text", sql)
    return Effect.onExitPrimitive(statement, (exit) => {
      ended(span, exit)
      return undefined
    })
  })
}
