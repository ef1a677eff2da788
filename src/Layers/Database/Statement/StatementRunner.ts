/** Runs the statements of a client, with spans, comments and metrics. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import * as Deadline from "../../../Plugin/Deadline.ts"
import type { Dialect } from "../SqlText.ts"
import type * as Comment from "./Comment.ts"
import * as StatementInternals from "./StatementInternals.ts"
import type * as StatementMetrics from "./StatementMetrics.ts"
import * as StatementSpan from "./StatementSpan.ts"
import * as Summary from "./Summary.ts"

/** The options of a client's statements. */
export interface Options {
  readonly attributes: StatementSpan.Attributes
  /** Returns the comment of a statement; undefined for none. */
  readonly commentOf: Comment.CommentOf | undefined
  readonly dialect: Dialect
  /** Measures a statement; undefined if the app keeps no metrics. */
  readonly measure: StatementMetrics.Measure | undefined
}

type Parts = StatementInternals.Parts

/** The span that a transformer of statements gets if the statement has none. */
const noSpan = () =>
  new Tracer.NativeSpan({
    annotations: Context.empty(),
    kind: "client",
    links: [],
    name: "sql",
    parent: Option.none(),
    sampled: false,
    startTime: 0n
  })

/**
 * Returns a client whose statements have the spans of the conventions in place of those of Effect,
 * which have the name of the database. A statement that is not sampled has no span.
 */
export const client = (
  plain: SqlClient,
  { attributes, commentOf, dialect, measure }: Options
): SqlClient => {
  const summaryOf = (sql: string) => Summary.of(sql, dialect)

  /** Adds the comment to a text. */
  const commented = (sql: string, fiber: Fiber.Fiber<unknown, unknown>): string =>
    commentOf !== undefined && summaryOf(sql).takesComment ? sql + commentOf(fiber) : sql

  /** Runs the transformer of the fiber, if there is one. The span shows the text that it returns. */
  const transformed = (
    statement: Parts,
    fiber: Fiber.Fiber<unknown, unknown>,
    span: Tracer.Span | undefined
  ): Effect.Effect<Parts> | undefined => {
    const transform = fiber.getRef(Statement.CurrentTransformer)
    if (transform === undefined) return undefined
    return Effect.map(transform(statement, made, fiber, span ?? noSpan()), (other) => {
      span?.attribute("db.query.text", summaryOf(other.compile()[0]).text)
      return other as Parts // a transformer of a statement returns a statement
    })
  }

  const run: StatementInternals.Runner["run"] = (...args) =>
    Deadline.during("SQL", observed(...args))

  const observed: StatementInternals.Runner["run"] = (statement, fiber, call, withoutTransform) => {
    const sent = (span: Tracer.Span | undefined) => {
      const send = (statement: Parts) => {
        const [sql, params] = statement.compile(withoutTransform)
        const text = commented(sql, fiber)
        return Effect.scoped(
          Effect.flatMap(StatementSpan.waiting(statement.acquirer, span), (connection) =>
            call(connection, text, params)
          )
        )
      }
      const other = transformed(statement, fiber, span)
      return other === undefined ? send(statement) : Effect.flatMap(other, send)
    }
    const isSampled = StatementSpan.isSampled(fiber)
    if (!isSampled && measure === undefined) return sent(undefined)
    const [sql] = statement.compile(withoutTransform)
    const summary = summaryOf(sql)
    const traced = isSampled
      ? StatementSpan.around(fiber, attributes, summary, sent)
      : sent(undefined)
    return measure === undefined ? traced : measure(summary, traced)
  }

  const stream = (statement: Parts): Stream.Stream<unknown, SqlError> =>
    Stream.unwrap(
      Effect.withFiber((fiber) => {
        const sent = (span: Tracer.Span | undefined) => {
          const send = (statement: Parts) => {
            const [sql, params] = statement.compile()
            const text = commented(sql, fiber)
            return Stream.unwrap(
              Effect.map(StatementSpan.waiting(statement.acquirer, span), (connection) =>
                Stream.transformPull(
                  connection.executeStream(text, params, statement.transformRows),
                  (pull) => Effect.succeed(Deadline.during("SQL", pull))
                )
              )
            )
          }
          const other = transformed(statement, fiber, span)
          return other === undefined ? send(statement) : Stream.unwrap(Effect.map(other, send))
        }
        if (!StatementSpan.isSampled(fiber)) return Effect.succeed(sent(undefined))
        const [sql] = statement.compile()
        return Effect.succeed(StatementSpan.aroundStream(attributes, summaryOf(sql), sent))
      })
    )

  const made: SqlClient = StatementInternals.runBy(plain, {
    run,
    runLater: (statement, call, withoutTransform) =>
      Effect.withFiber((fiber) => run(statement, fiber, call, withoutTransform)),
    stream
  })
  return made
}
