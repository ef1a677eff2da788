/** The steps of the apps of this process that have begun and not ended. */
import * as Effect from "effect/Effect"

const steps = new Set<{ readonly what: string }>()

/** Counts an effect as such a step while it runs. */
export const track =
  (what: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      const step = { what }
      steps.add(step)
      return Effect.ensuring(
        effect,
        Effect.sync(() => steps.delete(step))
      )
    })

/** Returns these steps in the order in which they began, each with its plugin. */
export const current = (): ReadonlyArray<string> => [...steps].map(({ what }) => what)
