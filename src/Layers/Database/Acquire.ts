/** How a statement gets its connection: with a bounded wait, and errors that say what is wrong. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { ConnectionError, SqlError } from "effect/sql/SqlError"

/** What bounds a pool. */
export interface Bounds {
  readonly acquireTimeout: Duration.Duration
  readonly maxConnections: number
}

/** The `operation` of the error that says that no connection was free. */
export const acquireOperation = "acquire"

/**
 * Bounds the wait for a connection, not its use. A wait that ends in vain fails
 * with a `ConnectionError` whose `operation` is `acquire`.
 */
export const bounded =
  ({ acquireTimeout, maxConnections }: Bounds) =>
  <A>(acquire: Effect.Effect<A, SqlError, Scope.Scope>): Effect.Effect<A, SqlError, Scope.Scope> =>
    Effect.timeoutOrElse(acquire, {
      duration: acquireTimeout,
      orElse: () => {
        const limit = Duration.format(acquireTimeout)
        const pool =
          maxConnections === 1 ? "The only connection" : `All ${maxConnections} connections`
        const message = `${pool} of the pool stayed in use for ${limit} (database.acquireTimeout). Hold connections for less time, or raise database.maxConnections.`
        return Effect.fail(
          new SqlError({
            reason: new ConnectionError({
              cause: new Error(message),
              message,
              operation: acquireOperation
            })
          })
        )
      }
    })
