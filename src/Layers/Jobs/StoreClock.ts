/**
 * The time by which jobs are due. With a shared store it is that of the store: a process whose clock is wrong
 * would otherwise claim due times of the future, which no process could claim again.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { JobStoreError } from "./JobsErrors.ts"
import type { RunStore } from "./RunStore.ts"

/** A difference of the clocks, in milliseconds, that is as small counts as none. */
const tolerance = 100

/** A difference of the clocks, in milliseconds, that the log tells. */
const worthTelling = 2000

/** A clock that follows that of a store. */
export interface StoreClock {
  /** False for the clock of a test, which the store does not know. */
  readonly isReal: Effect.Effect<boolean>
  /** Compares the clock of the process with that of the store. */
  readonly measure: Effect.Effect<void, JobStoreError>
  /** Returns the time in Unix milliseconds. */
  readonly now: Effect.Effect<number>
}

/** Creates the clock of a process. Without `measure` it is that of the process. */
export const make = (store: RunStore): StoreClock => {
  /** How far the process is ahead of the store. */
  let ahead = 0
  const isReal = Effect.map(
    Clock.currentTimeMillis,
    (now) => Math.abs(now - Date.now()) < worthTelling
  )
  return {
    isReal,
    measure: Effect.gen(function* () {
      if (store.time === undefined || !(yield* isReal)) return
      const before = yield* Clock.currentTimeMillis
      const time = yield* store.time
      const after = yield* Clock.currentTimeMillis
      const difference = Math.round((before + after) / 2 - time)
      // A slow answer tells little.
      if (after - before > Math.max(tolerance, Math.abs(difference))) return
      const isNew = Math.abs(difference - ahead) > worthTelling
      ahead = Math.abs(difference) <= tolerance ? 0 : difference
      if (isNew && ahead !== 0) {
        yield* Effect.logWarning(
          `The clock of this process is ${Math.abs(ahead)} ms ${ahead > 0 ? "ahead of" : "behind"} that of the database, which jobs go by. Synchronise the clocks of the hosts.`
        )
      }
    }),
    now: Effect.map(Clock.currentTimeMillis, (now) => now - ahead)
  }
}
