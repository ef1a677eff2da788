/** The bus over the channels of Redis. The subscriptions of a process share one connection. */
import * as Effect from "effect/Effect"
import type * as Redis from "effect/persistence/Redis"
import * as Queue from "effect/Queue"
import type { SharedRedisShape } from "../../Plugin/SharedRedis.ts"
import type { Bus, Listener } from "./BroadcastBus.ts"
import { BroadcastUnavailable } from "./BroadcastErrors.ts"

/** The services of Redis that broadcast uses. */
export interface RedisServices {
  readonly redis: Redis.Redis["Service"]
  readonly shared: SharedRedisShape
}

/** Makes the bus. `prefix` begins the names of its channels. */
export const make = ({ redis, shared }: RedisServices, prefix: string): Bus => ({
  isTransactional: false,
  publish: (letters) =>
    Effect.forEach(
      letters,
      ({ address, text }) => redis.send("PUBLISH", `${prefix}:${address}`, text),
      // The commands share a connection, which keeps their order.
      { concurrency: "unbounded", discard: true }
    ).pipe(
      Effect.mapError(({ cause }) => new BroadcastUnavailable({ cause, operation: "publish" }))
    ),
  subscribe: Effect.fnUntraced(function* (address: string, { onGap, onText }: Listener) {
    const queue = yield* shared.subscribe(`${prefix}:${address}`)
    const deliver = Effect.map(Queue.takeAll(queue), (deliveries) => {
      for (const delivery of deliveries) {
        if (delivery._tag === "Gap") onGap(delivery.dropped)
        else onText(delivery.text)
      }
    })
    yield* Effect.forkScoped(Effect.forever(deliver))
  })
})
