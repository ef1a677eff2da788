/** Runs queries of a request outside its transaction. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { SqlClient, type TransactionConnection } from "effect/sql/SqlClient"

/** True in a fiber that runs outside a transaction which is still open. */
export const IsOutside: Context.Reference<boolean> = Context.Reference(
  "flange/Database/IsOutside",
  {
    defaultValue: () => false
  }
)

/**
 * Runs an effect outside the transaction that surrounds it. Its queries take a
 * second connection and are committed on their own, so they stay if the
 * transaction is rolled back. Use it for an audit trail of failed attempts, or for
 * a counter that must not hold a row lock.
 *
 * No other function lets a request hold two connections of the pool. PGlite has only
 * one: there the query waits for `database.acquireTimeout` and fails. In a
 * `TestDatabase` the query joins the transaction of the test.
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
      // The transaction is never a part of `R`, so removing it does not change the type.
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
