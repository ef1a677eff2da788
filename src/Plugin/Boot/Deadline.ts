/** Deadlines that hold even for effects that cannot be interrupted. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"

/**
 * Runs the effect for at most `limit`, then interrupts it and fails with `onLate`.
 *
 * It does not wait for the end of an uninterruptible region, such as the acquisition of a
 * resource: a connection that is never answered would otherwise keep the app from naming
 * the plugin that waits for it. A resource that is acquired after the deadline is released
 * at once, because its scope is closed by then.
 *
 * An interruption from outside runs `stop`, which by default interrupts the effect and waits for its
 * end.
 */
export const enforce =
  <E2>(
    limit: Duration.Duration,
    onLate: () => E2,
    stop: (fiber: Fiber.Fiber<unknown, unknown>) => Effect.Effect<void> = Fiber.interrupt
  ) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | E2, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.forkDetach(restore(effect))
        const exit = yield* restore(
          Effect.timeoutOption(Effect.interruptible(Fiber.await(fiber)), limit)
        ).pipe(Effect.onInterrupt(() => stop(fiber)))
        if (Option.isSome(exit)) return yield* exit.value
        fiber.interruptUnsafe()
        return yield* Effect.fail(onLate())
      })
    )
