/**
 * Real time. A connection talks to a server, so its limits are real also where a test moves the clock of
 * a request or of the app.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** The clock of all connections. */
export const clock: Clock.Clock = Context.get(Context.empty(), Clock.Clock)

/** Runs an effect, and the other one instead if the limit has passed. */
export const within =
  <A2, E2, R2>(limit: Duration.Duration, orElse: Effect.Effect<A2, E2, R2>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A | A2, E | E2, R | R2> =>
    Effect.raceFirst(effect, Effect.andThen(clock.sleep(limit), orElse))
