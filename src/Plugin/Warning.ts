/** A warning that is logged at most once a minute. */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

const between = 60_000

/** A warning that is logged at most once a minute. */
export class Warning {
  #at = -Infinity

  /** Logs the message and its cause, unless it did within the last minute. Returns whether it did. */
  log(message: string, cause: Cause.Cause<unknown>): Effect.Effect<boolean> {
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      // A clock that was set back ends the minute.
      if (Math.abs(now - this.#at) < between) return Effect.succeed(false)
      this.#at = now
      return Effect.as(Effect.logWarning(message, cause), true)
    })
  }
}
