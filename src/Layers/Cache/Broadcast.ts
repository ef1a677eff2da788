/** Tells replicas which records changed, through a channel of Redis. */
import * as Effect from "effect/Effect"
import * as Redis from "effect/persistence/Redis"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import type { SharedRedisShape } from "../../Plugin/SharedRedis.ts"
import { type CacheStoreError, makeId } from "./CacheStore.ts"
import { stored } from "./RedisStore.ts"

/** The services of Redis that a cache uses. */
export interface RedisServices {
  readonly redis: Redis.Redis["Service"]
  readonly shared: SharedRedisShape
}

/** What a replica does with messages. */
export interface Listener {
  /** Forgets copies of records. */
  readonly forget: (keys: ReadonlyArray<string>) => void
  /** Forgets all copies, because messages may have been lost. */
  readonly forgetAll: () => void
}

/** The messages of a namespace. */
export interface Broadcast {
  /** Tells that records were written. */
  readonly announce: (keys: ReadonlyArray<string>) => Effect.Effect<void, CacheStoreError>
  /** Removes records, and tells it. */
  readonly delete: (keys: ReadonlyArray<string>) => Effect.Effect<void, CacheStoreError>
  /** Listens until it is interrupted. */
  readonly listen: (listener: Listener) => Effect.Effect<never>
}

const removal = Redis.script(
  (channel: string, message: string, keys: ReadonlyArray<string>) => [...keys, channel, message],
  {
    lua: `
for _, key in ipairs(KEYS) do redis.call("UNLINK", key) end
redis.call("PUBLISH", ARGV[1], ARGV[2])`,
    numberOfKeys: (_channel, _message, keys) => keys.length
  }
)

const Message = Schema.fromJsonString(
  Schema.Struct({ keys: Schema.Array(Schema.String), sender: Schema.String })
)

const printed = Schema.encodeSync(Message)

const read = Schema.decodeUnknownOption(Message)

/**
 * Makes the messages of a namespace. A replica that may have lost a message forgets all its copies: after
 * each interruption of its subscription, and when it was slower than the messages came.
 */
export const make = ({ redis, shared }: RedisServices, namespace: string): Broadcast => {
  const channel = `${namespace}:changed`
  const sender = makeId()
  const message = (keys: ReadonlyArray<string>) => printed({ keys, sender })
  return {
    announce: (keys) =>
      stored("announce", Effect.asVoid(redis.send("PUBLISH", channel, message(keys)))),
    delete: (keys) => stored("delete", redis.eval(removal)(channel, message(keys), keys)),
    listen: ({ forget, forgetAll }) =>
      Effect.scoped(
        Effect.flatMap(shared.subscribe(channel), (queue) => {
          // Copies from before the subscription.
          forgetAll()
          return Effect.forever(
            Effect.map(Queue.take(queue), (delivery) => {
              if (delivery._tag === "Gap") return forgetAll()
              const found = read(delivery.text)
              if (found._tag === "None") forgetAll()
              else if (found.value.sender !== sender) forget(found.value.keys)
            })
          )
        })
      )
  }
}
