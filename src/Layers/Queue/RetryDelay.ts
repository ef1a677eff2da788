/** When a failed attempt is tried again. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"

/**
 * Returns the delay after an attempt, which is counted from 1. Attempts may run in different processes, so the
 * steps of the schedule are taken anew, at the times of their delays. A schedule that ends keeps its last delay.
 */
export const after = (
  retry: Schedule.Schedule<unknown, number>,
  attempt: number
): Effect.Effect<Duration.Duration> =>
  Effect.flatMap(Schedule.toStep(retry), (step) => {
    const next = (
      taken: number,
      elapsed: number,
      last: Duration.Duration
    ): Effect.Effect<Duration.Duration> =>
      taken > attempt
        ? Effect.succeed(last)
        : Pull.matchEffect(step(elapsed, taken), {
            onDone: () => Effect.succeed(last),
            onFailure: Effect.failCause,
            onSuccess: ([, delay]) => next(taken + 1, elapsed + Duration.toMillis(delay), delay)
          })
    return next(1, 0, Duration.zero)
  })
