/** Queries of a request that must not be part of its transaction. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { SqlClient, type TransactionConnection } from "effect/sql/SqlClient"

/** Whether this fiber left a transaction that is still open. */
export const IsOutside: Context.Reference<boolean> = Context.Reference(
  "flange/Database/IsOutside",
  {
    defaultValue: () => false
  }
)

/**
 * Runs an effect outside the transaction that surrounds it: its queries take a
 * second connection, are committed on their own, and stay when the transaction
 * is rolled back. For an audit trail of failed attempts, or a counter that must
 * not hold a row lock.
 *
 * This is the only way in which a request holds two connections of the pool. Where
 * the pool has one (PGlite) the second cannot come: the query waits for
 * `database.acquireTimeout` and fails. In a `TestDatabase` it joins the test's
 * transaction.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as SqlClient from "effect/sql/SqlClient"
 * import * as Database from "flange/Database"
 *
 * const audit = (what: string) =>
 *   Effect.gen(function*() {
 *     const sql = yield* SqlClient.SqlClient
 *     yield* sql`insert into audit (what) values (${what})`
 *   }).pipe(Database.outsideTransaction)
 * Effect.isEffect(audit("login failed")) // => true
 * ```
 */
export const outsideTransaction = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | SqlClient> =>
  Effect.flatMap(SqlClient, ({ transactionService }) =>
    Effect.updateContext(effect, (context: Context.Context<R>) =>
      // What the effect needs never includes the transaction, so its type does not change.
      Context.getOrUndefined(
        context as Context.Context<TransactionConnection>,
        transactionService
      ) === undefined
        ? context
        : Context.add(
            Context.omit(transactionService)(context) as Context.Context<R>,
            IsOutside,
            true
          )
    )
  )
