/**
 * Everything that Flange takes from the inside of Effect's SQL statements. If a version of Effect
 * differs, `test/Layers/Database/Statement/StatementInternals.test.ts` fails.
 */
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as SqlClient from "effect/sql/SqlClient"
import type { Acquirer, Connection } from "effect/sql/SqlConnection"
import type { SqlError } from "effect/sql/SqlError"
import type * as Statement from "effect/sql/Statement"
import type * as Stream from "effect/Stream"

/** The function that `effect/sql` applies to the rows of a statement. */
export type TransformRows = Parameters<Connection["execute"]>[2]

/** A statement with the fields that its type hides. */
export interface Parts extends Statement.Statement<unknown> {
  readonly acquirer: Acquirer
  readonly borrower: unknown
  readonly compiler: Statement.Compiler
  readonly spanAttributes: ReadonlyArray<readonly [string, unknown]>
  readonly transformRows: TransformRows
}

/** Runs a compiled statement on a connection. */
export type Call<A> = (
  connection: Connection,
  sql: string,
  params: ReadonlyArray<unknown>
) => Effect.Effect<A, SqlError>

/** Runs the statements of a client. */
export interface Runner {
  /** Runs a statement in a fiber. `withoutTransform` leaves names as they are. */
  readonly run: <A>(
    statement: Parts,
    fiber: Fiber.Fiber<unknown, unknown>,
    call: Call<A>,
    withoutTransform: boolean
  ) => Effect.Effect<A, SqlError>
  /** The same for all ways to run a statement but the usual one. */
  readonly runLater: <A>(
    statement: Parts,
    call: Call<A>,
    withoutTransform: boolean
  ) => Effect.Effect<A, SqlError>
  /** Streams the rows of a statement. */
  readonly stream: (statement: Parts) => Stream.Stream<unknown, SqlError>
}

/** The key of the method with which a fiber runs an effect. */
const evaluate = "~effect/Effect/evaluate"

type Constructor = (statement: Parts) => Parts

/** Returns a function that returns a statement with the same fields, run by `runner`. */
const constructorOf = (prototype: object, runner: Runner): Constructor => {
  class OwnStatement {
    readonly acquirer: Parts["acquirer"]
    readonly borrower: unknown
    readonly compiler: Parts["compiler"]
    readonly segments: Parts["segments"]
    readonly spanAttributes: Parts["spanAttributes"]
    readonly transformRows: TransformRows

    constructor(from: Parts) {
      this.acquirer = from.acquirer
      this.borrower = from.borrower
      this.compiler = from.compiler
      this.segments = from.segments
      this.spanAttributes = from.spanAttributes
      this.transformRows = from.transformRows
    }

    get stream() {
      return runner.stream(this as unknown as Parts)
    }

    [evaluate](fiber: Fiber.Fiber<unknown, unknown>) {
      return runner.run(this as unknown as Parts, fiber, this.execute, false)
    }

    /** Effect's own getters for the other ways to run a statement call it. */
    withConnection<A>(_operation: string, call: Call<A>, withoutTransform = false) {
      return runner.runLater(this as unknown as Parts, call, withoutTransform)
    }

    get execute(): Call<ReadonlyArray<unknown>> {
      return (connection, sql, params) => connection.execute(sql, params, this.transformRows)
    }
  }
  // It has every other member of a statement.
  Object.setPrototypeOf(OwnStatement.prototype, prototype)
  return (from) => new OwnStatement(from) as unknown as Parts
}

const isStatement = (made: object): made is Parts => "acquirer" in made

/** Returns the fields of the statements of a client. */
export const partsOf = (client: SqlClient.SqlClient): Parts =>
  client`` as Statement.Statement<unknown> as Parts

type Client = SqlClient.SqlClient

/** Returns a client like `client` whose statements are run by `runner`. */
export const runBy = (client: Client, runner: Runner): Client => {
  const own = constructorOf(Object.getPrototypeOf(partsOf(client)) as object, runner)
  const wrapped = (plain: Client): Client => {
    const call = plain as unknown as (...args: ReadonlyArray<unknown>) => object
    const made: Client = Object.assign(
      (...args: ReadonlyArray<unknown>) => {
        const result = call(...args)
        return isStatement(result) ? own(result) : result
      },
      plain,
      {
        unsafe: (sql: string, params?: ReadonlyArray<unknown>) =>
          own(plain.unsafe(sql, params) as Statement.Statement<unknown> as Parts),
        withoutTransforms: () => {
          const other = plain.withoutTransforms()
          return other === plain ? made : wrapped(other)
        }
      }
    ) as unknown as Client // the call has the overloads of a client
    return Object.assign(made, { safe: made })
  }
  return wrapped(client)
}
