/**
 * The log of events in Redis or Valkey: a stream for each topic, and a hash with its generation and its last
 * sequence. A script writes both, so an event is visible only after those before it.
 */
import * as Effect from "effect/Effect"
import * as Redis from "effect/persistence/Redis"
import * as Queue from "effect/Queue"
import type { SharedRedisShape } from "../../Plugin/SharedRedis.ts"
import { type Backend, type Bounds, type Entry, EventLogError, nothing } from "./EventLogBackend.ts"

/** How many events of a topic one append removes for their age. */
const mostRemoved = 100

const append = Redis.script(
  (
    stream: string,
    head: string,
    channel: string,
    event: string,
    data: string,
    { maxAge, maxEvents }: Bounds
  ) => [stream, head, channel, event, data, String(Math.ceil(maxAge)), String(maxEvents)],
  {
    lua: `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local generation = redis.call("HGET", KEYS[2], "g")
if not generation then
  generation = string.format("%.0f", now)
  redis.call("HSET", KEYS[2], "g", generation)
  redis.call("DEL", KEYS[1])
end
local sequence = redis.call("HINCRBY", KEYS[2], "n", 1)
redis.call("XADD", KEYS[1], "MAXLEN", ARGV[5], sequence .. "-0", "e", ARGV[2], "d", ARGV[3], "t", string.format("%.0f", now))
for _, old in ipairs(redis.call("XRANGE", KEYS[1], "-", "+", "COUNT", ${mostRemoved})) do
  if tonumber(old[2][6]) >= now - ARGV[4] then break end
  redis.call("XDEL", KEYS[1], old[1])
end
redis.call("PEXPIRE", KEYS[1], ARGV[4])
redis.call("PEXPIRE", KEYS[2], 2 * ARGV[4])
redis.call("PUBLISH", ARGV[1], sequence)
return {generation, sequence}`,
    numberOfKeys: 2
  }
).withReturnType<readonly [string, number]>()

// A topic that is read keeps its head, so that its readers go on when an event comes.
const page = Redis.script(
  (stream: string, head: string, after: number, limit: number, maxAge: number) => [
    stream,
    head,
    String(after),
    String(limit),
    String(2 * Math.ceil(maxAge))
  ],
  {
    lua: `
local head = redis.call("HMGET", KEYS[2], "g", "n")
if not head[1] then return {} end
redis.call("PEXPIRE", KEYS[2], ARGV[3])
local oldest = redis.call("XRANGE", KEYS[1], "-", "+", "COUNT", 1)
local first = oldest[1] and oldest[1][1] or ""
local entries = {}
if tonumber(ARGV[2]) > 0 then
  entries = redis.call("XRANGE", KEYS[1], "(" .. ARGV[1] .. "-0", "+", "COUNT", ARGV[2])
end
return {head[1], head[2], first, entries}`,
    numberOfKeys: 2
  }
).withReturnType<
  | readonly [
      generation: string,
      last: string,
      first: string,
      entries: ReadonlyArray<readonly [id: string, fields: ReadonlyArray<string>]>
    ]
  | readonly []
>()

const sequenceOf = (id: string): number => Number(id.slice(0, id.indexOf("-")))

const entryOf = ([id, fields]: readonly [string, ReadonlyArray<string>]): Entry => ({
  data: fields[3]!,
  event: fields[1]!,
  sequence: sequenceOf(id)
})

/** Creates the backend. */
export const make = (
  redis: Redis.Redis["Service"],
  shared: SharedRedisShape,
  bounds: Bounds
): Backend => {
  // The braces keep both keys of a topic on one node of a cluster. Redis ignores a tag that ends at once, as that
  // of a topic that begins with a brace would: so the tag begins with a colon.
  const streamOf = (topic: string) => `${shared.prefix}events:{:${topic}}`
  const headOf = (topic: string) => `${streamOf(topic)}:head`
  const channelOf = (topic: string) => `${shared.prefix}events:${topic}`
  const stored = <A>(operation: string, effect: Effect.Effect<A, Redis.RedisError>) =>
    Effect.mapError(effect, ({ cause }) => new EventLogError({ cause, operation }))
  return {
    append: (topic, event, data) =>
      stored(
        "append",
        Effect.map(
          redis.eval(append)(streamOf(topic), headOf(topic), channelOf(topic), event, data, bounds),
          ([generation, sequence]) => ({ generation: Number(generation), sequence })
        )
      ),
    page: (topic, after, limit) =>
      stored(
        "read",
        Effect.map(
          redis.eval(page)(streamOf(topic), headOf(topic), after, limit, bounds.maxAge),
          (found) => {
            if (found.length === 0) return nothing
            const [generation, last, first, entries] = found
            return {
              entries: entries.map(entryOf),
              first: first === "" ? Number(last) + 1 : sequenceOf(first),
              generation: Number(generation),
              last: Number(last)
            }
          }
        )
      ),
    ping: stored("ping", Effect.asVoid(redis.send("PING"))),
    watch: (topic, wake) =>
      Effect.gen(function* () {
        // A gap in the messages wakes too.
        const deliveries = yield* shared.subscribe(channelOf(topic))
        yield* Effect.forkScoped(
          Effect.forever(Effect.andThen(Queue.take(deliveries), Effect.sync(wake)))
        )
      })
  }
}
