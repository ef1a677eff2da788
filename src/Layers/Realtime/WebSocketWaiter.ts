/** The fibers that wait for a change of a connection. */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

/** A fiber that waits, and the next one. A list, because one fiber waits at most connections. */
export interface Waiter {
  readonly fiber: Fiber.Fiber<unknown, unknown>
  next: Waiter | undefined
  readonly resume: (effect: Effect.Effect<void>) => void
}

/** Returns the list with a waiter at its end, and without those whose fibers have ended. */
export const add = (first: Waiter | undefined, added: Waiter): Waiter => {
  const list = { next: first }
  let last: Pick<Waiter, "next"> = list
  while (last.next !== undefined) {
    if (last.next.fiber.pollUnsafe() === undefined) last = last.next
    else last.next = last.next.next
  }
  last.next = added
  return list.next ?? added
}

/** Resumes the fibers of a list. */
export const wake = (first: Waiter | undefined): void => {
  for (let waiter = first; waiter !== undefined; waiter = waiter.next) waiter.resume(Effect.void)
}
