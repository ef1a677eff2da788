/** Removes completed items and dead letters after their time, in the background. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Settings } from "./QueueConfig.ts"
import type { QueueStoreError, Store } from "./QueueStore.ts"

/** Milliseconds between two rounds, on average. Replicas do not start their rounds together. */
const interval = 60_000

/** The pause between two batches, in milliseconds, in which other statements run. */
const pause = 100

/** Runs `cleanup` in rounds, for ever. A failure ends the round and is logged. */
export const regularly = (
  store: Store,
  { keepCompleted, keepDead }: Pick<Settings, "keepCompleted" | "keepDead">
): Effect.Effect<never> => {
  const cleanup = store.cleanup({
    completed: Duration.toMillis(keepCompleted),
    dead: Duration.toMillis(keepDead)
  })
  const round: Effect.Effect<void, QueueStoreError> = Effect.flatMap(cleanup, (isMore) =>
    isMore ? Effect.andThen(Effect.sleep(pause), round) : Effect.void
  )
  return Effect.forever(
    Effect.flatMap(Random.nextBetween(0.5, 1.5), (jitter) =>
      Effect.andThen(
        Effect.sleep(interval * jitter),
        Effect.catchCause(round, (cause) =>
          Effect.logWarning("Old items of queues were not removed", cause)
        )
      )
    )
  )
}
