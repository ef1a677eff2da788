/** Repeats statements that a deadlock has ended. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { SqlClient, TransactionConnection } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

const times = 5

/**
 * Creates a function that runs an effect again if a deadlock has ended it. In a transaction it does not: the
 * deadlock has ended the whole of it.
 */
export const retrying =
  (sql: SqlClient) =>
  <A, R>(effect: Effect.Effect<A, SqlError, R>): Effect.Effect<A, SqlError, R> =>
    Effect.contextWith((context: Context.Context<never>) =>
      Context.getOrUndefined(
        context as Context.Context<TransactionConnection>, // a fiber in a transaction has it
        sql.transactionService
      ) === undefined
        ? Effect.retry(effect, {
            times,
            while: ({ reason }) => reason._tag === "DeadlockError"
          })
        : effect
    )
