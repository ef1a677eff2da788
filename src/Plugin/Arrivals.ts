/** Data that has arrived at the process and that nothing has read yet. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** Milliseconds after which Deno has read it: it runs what `setImmediate` has got before it reads. */
const reading = 5

/**
 * Calls a function when the data that has already arrived has been read. After a long computation, a timer runs
 * before that data is read.
 */
export const afterArrivals = (run: () => void): void => {
  if ("Deno" in globalThis) setTimeout(run, reading)
  // Bun may run what `setImmediate` has got before it reads, but not what that adds.
  else if ("Bun" in globalThis) setImmediate(() => setImmediate(run))
  else setImmediate(run)
}

const arrivals = Effect.callback<void>((resume) => afterArrivals(() => resume(Effect.void)))

const realClock: Clock.Clock = Context.get(Context.empty(), Clock.Clock)

/** Sleeps, and then until the data that has already arrived has been read. */
const sleep = (duration: Duration.Duration): Effect.Effect<void> =>
  Effect.clockWith((clock) =>
    // The clock of a test does not run while the process computes.
    clock === realClock ? Effect.andThen(clock.sleep(duration), arrivals) : clock.sleep(duration)
  )

/**
 * Interrupts an effect if the limit has passed, and runs `onLate` instead. Data that arrived while the process was
 * busy is read first, so that an answer in time is not late because of the process itself.
 */
export const within =
  <A2, E2, R2>(limit: Duration.Duration, onLate: () => Effect.Effect<A2, E2, R2>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A | A2, E | E2, R | R2> =>
    Effect.flatMap(
      Effect.raceFirst(Effect.asSome(effect), Effect.as(sleep(limit), Option.none<A>())),
      (result): Effect.Effect<A | A2, E2, R2> =>
        Option.isSome(result) ? Effect.succeed(result.value) : onLate()
    )
