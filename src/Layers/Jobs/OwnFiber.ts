/** Effects of an app in fibers of their own. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

/**
 * Runs an effect in a fiber of its own and returns its result. A fiber that meets a value that is not an Effect ends
 * at once and runs none of its finalizers. The fiber that waits has this as a defect, and runs its own.
 */
export const run = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.forkChild(effect, { startImmediately: true }), (fiber) =>
    Effect.onInterrupt(Fiber.join(fiber), () => Fiber.interrupt(fiber))
  )
