/** The bounded wait for a connection of the pool. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { ConnectionError, SqlError } from "effect/sql/SqlError"

/** The limits of a pool. */
export interface Bounds {
  readonly acquireTimeout: Duration.Duration
  readonly maxConnections: number
}

/** The `operation` of the error for a pool without a free connection. */
export const acquireOperation = "acquire"

/**
 * Limits how long `acquire` waits for a connection, not how long the connection is
 * used. Fails with a `ConnectionError` whose `operation` is `acquire` if no
 * connection becomes free in time.
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
