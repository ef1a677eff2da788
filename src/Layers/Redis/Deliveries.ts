/** The bounded queue between a channel and a subscriber. */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { Delivery } from "../../Plugin/SharedRedis.ts"

/** A queue with the functions that fill it. */
export interface Deliveries {
  readonly onGap: () => void
  readonly onMessage: (text: string) => void
  readonly queue: Queue.Dequeue<Delivery>
}

/** Drops everything that waits, and returns how many messages that was, if it can be counted. */
const dropAll = (queue: Queue.Queue<Delivery>): number | undefined => {
  let dropped: number | undefined = 0
  for (;;) {
    const exit = Queue.takeUnsafe(queue)
    if (exit?._tag !== "Success") return dropped
    const one = exit.value._tag === "Gap" ? exit.value.dropped : 1
    dropped = dropped === undefined || one === undefined ? undefined : dropped + one
  }
}

/**
 * Creates the queue of a subscriber. If `limit` deliveries wait and another comes, those that wait are
 * dropped and a gap takes their place. The queue ends with the scope.
 */
export const make = (
  channel: string,
  limit: number
): Effect.Effect<Deliveries, never, Scope.Scope> =>
  Effect.map(Effect.acquireRelease(Queue.unbounded<Delivery>(), Queue.shutdown), (queue) => {
    const offer = (delivery: Delivery) => {
      if (Queue.sizeUnsafe(queue) >= limit) {
        Queue.offerUnsafe(queue, { _tag: "Gap", channel, dropped: dropAll(queue) })
      }
      Queue.offerUnsafe(queue, delivery)
    }
    return {
      onGap: () => offer({ _tag: "Gap", channel, dropped: undefined }),
      onMessage: (text) => offer({ _tag: "Message", channel, text }),
      queue
    }
  })
