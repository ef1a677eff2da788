/** Removes what has expired from the tables of batteries, in the background. */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/** Milliseconds between two rounds, on average. Replicas do not start their rounds together. */
const interval = 60_000

/** The pause between two batches, in milliseconds, in which other statements run. */
const pause = 100

/**
 * Runs `prune` in rounds, for ever. A round runs it until it returns that nothing more is there. A failure
 * ends the round, and is logged with `warning`.
 */
export const regularly = <E>(
  prune: Effect.Effect<boolean, E>,
  warning: string
): Effect.Effect<never> => {
  const round: Effect.Effect<void, E> = Effect.flatMap(prune, (isMore) =>
    isMore ? Effect.andThen(Effect.sleep(pause), round) : Effect.void
  )
  return Effect.forever(
    Effect.flatMap(Random.nextBetween(0.5, 1.5), (jitter) =>
      Effect.andThen(
        Effect.sleep(interval * jitter),
        Effect.catchCause(round, (cause) => Effect.logWarning(warning, cause))
      )
    )
  )
}
