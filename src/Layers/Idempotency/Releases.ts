/** Keys that a store could not free: they are freed as soon as it works again. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Attempt, Store } from "./KeyStore.ts"

/** How many attempts are remembered. The keys of others stay in use until their leases end. */
const most = 1000

/** Frees the key of an attempt later, without waiting for it. */
export type Later = (attempt: Attempt) => Effect.Effect<void>

/** Creates the function. One fiber in the scope frees all keys, and runs only while there are some. */
export const make = (store: Store, scope: Scope.Scope): Later => {
  const waiting = new Set<Attempt>()
  let isFull = false
  let isRunning = false
  const tooMany = Effect.logWarning(
    `${most} idempotency keys wait until the store frees them. Those of further requests stay in use until their leases end`
  )
  const round = Effect.forEach(
    waiting,
    (attempt) => Effect.map(store.release(attempt), () => waiting.delete(attempt)),
    { discard: true }
  )
  const all = Effect.suspend(() => Effect.exit(round)).pipe(
    Effect.andThen(Effect.suspend(() => (waiting.size === 0 ? Effect.void : Effect.sleep(1000)))),
    Effect.repeat({
      while: () => {
        isRunning = waiting.size > 0
        if (!isRunning) isFull = false
        return isRunning
      }
    })
  )
  return (attempt) =>
    Effect.suspend(() => {
      if (waiting.size < most) waiting.add(attempt)
      else if (!isFull) {
        isFull = true
        return tooMany
      }
      if (isRunning) return Effect.void
      isRunning = true
      return Effect.asVoid(Effect.forkIn(all, scope))
    })
}
