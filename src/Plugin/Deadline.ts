/** Deadlines that hold even for what cannot be interrupted. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"

/**
 * Runs the effect for at most the limit, then interrupts it and fails, without
 * waiting for the end of a region that cannot be interrupted: acquiring a
 * resource is one, and a connection that is never answered would keep the app
 * from ever saying which plugin it waits for. What is acquired afterwards is
 * released at once, because the scope it goes to is closed by then.
 *
 * An interruption from outside does wait.
 */
export const within =
  <E2>(limit: Duration.Duration, onLate: () => E2) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | E2, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.forkDetach(restore(effect))
        const exit = yield* restore(
          Effect.timeoutOption(Effect.interruptible(Fiber.await(fiber)), limit)
        ).pipe(Effect.onInterrupt(() => Fiber.interrupt(fiber)))
        if (Option.isSome(exit)) return yield* exit.value
        fiber.interruptUnsafe()
        return yield* Effect.fail(onLate())
      })
    )
