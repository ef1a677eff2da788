/** Creates the SQL clients of all databases, with the rules that hold on each of them. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Reactivity from "effect/reactivity/Reactivity"
import * as SqlClient from "effect/sql/SqlClient"
import type { Acquirer } from "effect/sql/SqlConnection"
import { SqlError, SqlSyntaxError } from "effect/sql/SqlError"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import { unlistedAround } from "../../Server/EffectInternals.ts"
import * as Comment from "./Statement/Comment.ts"
import * as StatementMetrics from "./Statement/StatementMetrics.ts"
import * as StatementRunner from "./Statement/StatementRunner.ts"
import * as StatementSpan from "./Statement/StatementSpan.ts"
import * as OwnConnection from "./Transaction/OwnConnection.ts"
import * as RowLock from "./Transaction/RowLock.ts"
import * as Turns from "./Transaction/Turns.ts"

/** The options of a client. */
export interface Options extends SqlClient.SqlClient.MakeOptions {
  /**
   * Lends a connection like `transactionAcquirer`, and closes it when the scope closes, so
   * that no other user of the pool gets the settings of its session.
   */
  readonly cleanAcquirer: Acquirer
  /** Whether statements have a comment with the app and the route. */
  readonly comments: boolean
  /**
   * Lends a connection like `transactionAcquirer`, to a borrower that lets the statements run
   * in turn and returns the connection after the last one.
   */
  readonly lazyAcquirer: Acquirer
  readonly transactionAcquirer: Acquirer
}

/**
 * The most prepared statements of a connection. Those of all connections count towards the
 * limit of a MySQL server, which is 16 382 by default, and take memory on every server.
 */
export const mostPrepared = 100

const typeId = "~flange/Database/Client"

interface Own {
  readonly [typeId]: {
    readonly clean: Acquirer
    readonly lazy: Acquirer
  }
}

const isOwn = (client: SqlClient.SqlClient): client is Own & SqlClient.SqlClient => typeId in client

/**
 * Reserves a connection whose session settings end with the scope. A client that Flange
 * has not made lends an ordinary one.
 */
export const reserveClean = (client: SqlClient.SqlClient): Acquirer =>
  isOwn(client) ? client[typeId].clean : client.reserve

/** The parts of a client that a transaction uses which begins with its first query. */
export const lazyParts = (
  client: SqlClient.SqlClient
): {
  readonly acquire: Acquirer
  readonly withTransaction: SqlClient.SqlClient["withTransaction"]
} =>
  isOwn(client)
    ? { acquire: client[typeId].lazy, withTransaction: client.withTransaction }
    : {
        acquire: client.reserve,
        withTransaction: (effect) => unlistedAround(effect, client.withTransaction)
      }

let clients = 0

const notEmpty = <F extends (...args: never) => unknown>(name: string, helper: F): F =>
  ((...args: never): unknown => {
    const [rows]: ReadonlyArray<unknown> = args
    if (!Array.isArray(rows) || rows.length > 0) return helper(...args)
    throw new Error(
      `sql.${name}([]) has no rows, and SQL has no statement for that. Run the statement only if the list has rows.`
    )
  }) as F // the parameters and the result of the helper, whose overloads cannot be written here

/**
 * Creates a client. The statements of a transaction run in turn, outside the savepoints
 * of sibling fibers, and die with `TransactionEnded` after its end. A query that locks rows
 * outside a transaction dies with `NotInTransaction`. `insert` and `updateValues` refuse an
 * empty list.
 */
export const make = (
  options: Options
): Effect.Effect<SqlClient.SqlClient, never, Reactivity.Reactivity> =>
  Effect.gen(function* () {
    const service = Context.Service<
      SqlClient.TransactionConnection,
      SqlClient.TransactionConnection.Service
    >(`flange/Database/Transaction/${clients++}`)
    const dialect = options.compiler.dialect === "mysql" ? "mysql" : "pg"
    const context = yield* Effect.context<never>()
    // Clients are made outside apps too.
    const app = Context.getOrUndefined(context as Context.Context<AppRuntime>, AppRuntime)
    const plain = yield* SqlClient.make({
      ...options,
      acquirer: Effect.map(options.acquirer, RowLock.refusing(dialect)),
      transactionAcquirer: OwnConnection.acquirer(options.transactionAcquirer, service),
      transactionService: service
    })
    const client = StatementRunner.client(plain, {
      attributes: options.spanAttributes,
      commentOf: options.comments && app !== undefined ? Comment.make(app.name) : undefined,
      dialect,
      measure: StatementMetrics.make(options.spanAttributes, context)
    })
    const { withTransaction } = plain
    return Object.assign(client, {
      [typeId]: {
        clean: OwnConnection.acquirer(options.cleanAcquirer, service),
        lazy: options.lazyAcquirer
      },
      insert: notEmpty("insert", client.insert),
      updateValues: notEmpty("updateValues", client.updateValues),
      withTransaction: <A, E, R>(
        effect: Effect.Effect<A, E, R>
      ): Effect.Effect<A, E | SqlError, R> =>
        unlistedAround(
          Effect.withFiber((fiber) => {
            const level = Turns.levelOf(fiber, service)! // `withTransaction` has provided it
            const [connection, depth] = level
            if (depth === 0) StatementSpan.begun(connection, options.spanAttributes, fiber)
            return Effect.onExitPrimitive(effect, () => void Turns.end(level))
          }),
          withTransaction
        )
    })
  })

/**
 * Returns the error of a statement with more parameters than the protocol can count, or
 * undefined.
 */
export const tooManyParameters = (
  params: ReadonlyArray<unknown>,
  limit: number
): SqlError | undefined => {
  if (params.length <= limit) return undefined
  const message = `The statement has ${params.length} parameters, and the database takes at most ${limit}. Split the list, for example into inserts of fewer rows.`
  return new SqlError({
    reason: new SqlSyntaxError({ cause: new Error(message), message, operation: "execute" })
  })
}
