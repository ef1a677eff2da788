/** The clock that no step of the clock of the machine changes. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** Its time in milliseconds, for differences only: it has no known zero. */
export const millis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
