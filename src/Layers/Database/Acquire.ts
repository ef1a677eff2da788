/** The bounded wait for a connection of the pool. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { ConnectionError, SqlError } from "effect/sql/SqlError"
import * as Deadline from "../../Plugin/Deadline.ts"

/** The limits of a pool. */
export interface Bounds {
  readonly acquireTimeout: Duration.Duration
  readonly maxConnections: number
}

/**
 * The clock of all pools. A pool talks to a server, so its time is real also where a test moves
 * the clock of a request or of the app.
 */
export const clock: Clock.Clock = Context.get(Context.empty(), Clock.Clock)

/** Limits an effect on the clock of the pool. */
export const within =
  <E2>(limit: Duration.Duration, onLate: () => E2) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | E2, R> =>
    Effect.raceFirst(
      effect,
      Effect.flatMap(clock.sleep(limit), () => Effect.fail(onLate()))
    )

/** The `operation` of the error for a pool without a free connection. */
export const acquireOperation = "acquire"

/**
 * Limits how long `acquire` waits for a connection, not how long the connection is
 * used. Fails with a `ConnectionError` whose `operation` is `acquire` if no
 * connection becomes free in time.
 */
export const bounded =
  ({ acquireTimeout, maxConnections }: Bounds) =>
  <A>(
    acquire: Effect.Effect<A, SqlError, Scope.Scope>
  ): Effect.Effect<A, SqlError, Scope.Scope> => {
    const late = () => {
      const limit = Duration.format(acquireTimeout)
      const pool =
        maxConnections === 1 ? "The only connection" : `All ${maxConnections} connections`
      const message = `${pool} of the pool stayed in use for ${limit} (database.acquireTimeout). Hold connections for less time, or raise database.maxConnections.`
      return new SqlError({
        reason: new ConnectionError({
          cause: new Error(message),
          message,
          operation: acquireOperation
        })
      })
    }
    return Deadline.during(
      "waiting for a database connection",
      within(acquireTimeout, late)(acquire)
    )
  }
