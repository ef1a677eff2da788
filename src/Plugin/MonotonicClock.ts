/** The clock that no step of the clock of the machine changes. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** Returns its time in milliseconds, for differences only: it has no known zero. */
export const millisOf = (clock: Clock.Clock): number =>
  Number(clock.monotonicTimeNanosUnsafe()) / 1e6

/** Its time by the clock of the fiber. */
export const millis = Clock.clockWith((clock) => Effect.sync(() => millisOf(clock)))
