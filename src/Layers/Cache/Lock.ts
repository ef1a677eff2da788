/** Lets one process at a time load a value. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import { storeKey } from "./CacheKey.ts"
import { makeId } from "./CacheStore.ts"
import type { Guard } from "./Guard.ts"
import type { Plan } from "./Records.ts"

/** How long the lock of a process lasts that does not renew it. */
const lockTtl = 10_000

const renewal = 3_000

const longestWait = 30_000

const shortestPoll = 20

const longestPoll = 250

/**
 * Runs `load` while this process has the lock of the key. If another process has it, waits until `again`
 * returns something or the lock is free. Runs `load` without the lock after 30 seconds, and if the store
 * does not answer.
 */
export const withLock = <A, E, R>(
  guard: Guard,
  namespace: string,
  { key }: Plan,
  {
    again,
    load
  }: {
    readonly again: Effect.Effect<Exit.Exit<A, E> | undefined>
    readonly load: Effect.Effect<A, E, R>
  }
): Effect.Effect<A, E, R> => {
  const lock = storeKey(namespace, "lock", key.path)
  const mine = { ttl: lockTtl, value: makeId() }
  const renewed = Effect.forever(
    Effect.andThen(Effect.sleep(renewal), guard.replace(lock, mine.value, mine))
  )
  const holding = Effect.flatMap(again, (exit): Effect.Effect<A, E, R> =>
    exit === undefined ? Effect.raceFirst(load, renewed) : exit
  )
  const take = guard.replace(lock, undefined, mine)
  const release = guard.release(lock, mine.value)
  const turn = (poll: number, until: number): Effect.Effect<A, E, R> =>
    Effect.uninterruptibleMask((restore) =>
      // If it is interrupted, the store may have carried it out.
      Effect.flatMap(
        Effect.onInterrupt(restore(take), () => release),
        (taken) =>
          taken === true
            ? Effect.ensuring(restore(holding), release)
            : restore(taken === undefined ? load : wait(poll, until))
      )
    )
  const wait = (poll: number, until: number): Effect.Effect<A, E, R> =>
    Effect.gen(function* () {
      yield* Effect.sleep(poll * (0.5 + (yield* Random.next)))
      const exit = yield* again
      if (exit !== undefined) return yield* exit
      return yield* (yield* Clock.currentTimeMillis) > until
        ? load
        : turn(Math.min(2 * poll, longestPoll), until)
    })
  return Effect.flatMap(Clock.currentTimeMillis, (now) => turn(shortestPoll, now + longestWait))
}
