/** Tells replicas which records changed, through Redis. */
import * as Effect from "effect/Effect"
import * as Redis from "effect/persistence/Redis"
import * as Queue from "effect/Queue"
import { type CacheStoreError, makeId } from "./CacheStore.ts"
import { stored } from "./RedisStore.ts"

/** Milliseconds between two looks at the number of the last message. */
const interval = 1000

/** Milliseconds that a message may take longer than its number. */
const patience = 100

/** The channel keeps its number for a week without messages. */
const numberTtl = 7 * 86_400

const publish = Redis.script(
  (
    { channel, sender }: { readonly channel: string; readonly sender: string },
    removed: ReadonlyArray<string>,
    announced: ReadonlyArray<string>
  ) => [channel, ...removed, sender, JSON.stringify(announced)],
  {
    lua: `
for i = 2, #KEYS do redis.call("UNLINK", KEYS[i]) end
local number = redis.call("INCR", KEYS[1])
redis.call("EXPIRE", KEYS[1], ${numberTtl})
redis.call("PUBLISH", KEYS[1], number .. " " .. ARGV[1] .. " " .. ARGV[2])
return number`,
    numberOfKeys: (_, removed) => 1 + removed.length
  }
).withReturnType<number>()

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

/**
 * Makes the messages of a namespace. Each has a number, one more than the message before. A replica that
 * misses a number, or whose last number is not that of Redis, has lost a message: it forgets all copies.
 */
export const make = (redis: Redis.Redis["Service"], namespace: string): Broadcast => {
  const channel = `${namespace}:broadcast`
  const sender = makeId()
  const send = (removed: ReadonlyArray<string>, announced: ReadonlyArray<string>) =>
    redis.eval(publish)({ channel, sender }, removed, announced)

  const listen = ({ forget, forgetAll }: Listener): Effect.Effect<never> => {
    let last: number | undefined

    const receive = (message: string) => {
      const [number, from, ...rest] = message.split(" ")
      if (last !== undefined && Number(number) !== last + 1) forgetAll()
      last = Number(number)
      if (from !== sender) forget(JSON.parse(rest.join(" ")))
    }
    const messages = Effect.scoped(
      Effect.flatMap(redis.subscribe(channel), (queue) =>
        Effect.forever(Effect.map(Queue.take(queue), ({ message }) => receive(message)))
      )
    )
    const listening = Effect.forever(
      Effect.andThen(
        Effect.ignoreCause(messages),
        Effect.andThen(Effect.sync(forgetAll), Effect.sleep(interval))
      )
    )

    const look = Effect.gen(function* () {
      const number = Number((yield* redis.send<string | null>("GET", channel)) ?? 0)
      const before = last
      if (number === before) return
      if (before !== undefined) yield* Effect.sleep(patience)
      // Otherwise messages arrive, and `receive` sees whether one is missing.
      if (last !== before) return
      forgetAll()
      last = number
    })
    const looking = Effect.forever(Effect.andThen(Effect.ignoreCause(look), Effect.sleep(interval)))
    return Effect.raceFirst(listening, looking)
  }

  return {
    announce: (keys) => stored("announce", Effect.asVoid(send([], keys))),
    delete: (keys) => stored("delete", Effect.asVoid(send(keys, keys))),
    listen
  }
}
