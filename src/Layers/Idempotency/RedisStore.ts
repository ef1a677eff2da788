/** The store in Redis or Valkey: one key for each idempotency key, which Redis removes in time. */
import * as Effect from "effect/Effect"
import * as Redis from "effect/persistence/Redis"
import { type Attempt, claimed, type Found, KeyStoreError, type Store } from "./KeyStore.ts"

// A record is `L`, the owner and the fingerprint, or `R`, the fingerprint and the reply.
const running = "L"

const ownerLength = 36

const fingerprintLength = 43

const whole = (millis: number): string => String(Math.max(1, Math.ceil(millis)))

const markOf = ({ owner }: Attempt): string => running + owner

/** The record of a claim. */
const claimOf = (attempt: Attempt): string => markOf(attempt) + attempt.fingerprint

const claim = Redis.script(
  (key: string, record: string, lease: number) => [key, record, whole(lease)],
  {
    lua: `
local found = redis.call("GET", KEYS[1])
if found then return found end
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
return ""`,
    numberOfKeys: 1
  }
).withReturnType<string>()

// If the key has expired and no other request has claimed it, the owner still completes it.
const complete = Redis.script(
  (key: string, mark: string, record: string, ttl: number) => [key, mark, record, whole(ttl)],
  {
    lua: `
local found = redis.call("GETRANGE", KEYS[1], 0, ${ownerLength})
if found ~= "" and found ~= ARGV[1] then return 0 end
redis.call("SET", KEYS[1], ARGV[2], "PX", ARGV[3])
return 1`,
    numberOfKeys: 1
  }
).withReturnType<number>()

const release = Redis.script((key: string, mark: string) => [key, mark], {
  lua: `
if redis.call("GETRANGE", KEYS[1], 0, ${ownerLength}) == ARGV[1] then redis.call("DEL", KEYS[1]) end
return 0`,
  numberOfKeys: 1
}).withReturnType<number>()

// A lease that ended while Redis was away is claimed again, unless another request was quicker.
const renew = Redis.script(
  (key: string, mark: string, record: string, lease: number) => [key, mark, record, whole(lease)],
  {
    lua: `
local found = redis.call("GETRANGE", KEYS[1], 0, ${ownerLength})
if found == "" or found == ARGV[1] then
  redis.call("SET", KEYS[1], ARGV[2], "PX", ARGV[3])
end
return 0`,
    numberOfKeys: 1
  }
).withReturnType<number>()

/** Creates the store. `prefix` begins each of its keys. */
export const make = (redis: Redis.Redis["Service"], prefix: string): Store => {
  const keyOf = ({ id }: Attempt) => `${prefix}:${id}`
  const stored = <A>(operation: string, effect: Effect.Effect<A, Redis.RedisError>) =>
    Effect.mapError(effect, ({ cause }) => new KeyStoreError({ cause, operation }))
  return {
    claim: (attempt, lease) =>
      stored(
        "claim",
        Effect.map(redis.eval(claim)(keyOf(attempt), claimOf(attempt), lease), (found) =>
          found === "" ? claimed : foundOf(found)
        )
      ),
    complete: (attempt, reply, ttl) =>
      stored(
        "complete",
        Effect.map(
          redis.eval(complete)(
            keyOf(attempt),
            markOf(attempt),
            `R${attempt.fingerprint}${reply}`,
            ttl
          ),
          (kept) => kept === 1
        )
      ),
    isTransactional: false,
    ping: stored("ping", Effect.asVoid(redis.send("PING"))),
    release: (attempt) =>
      stored("release", Effect.asVoid(redis.eval(release)(keyOf(attempt), markOf(attempt)))),
    renew: (attempt, lease) =>
      stored(
        "renew",
        Effect.asVoid(redis.eval(renew)(keyOf(attempt), markOf(attempt), claimOf(attempt), lease))
      )
  }
}

const foundOf = (record: string): Found => {
  if (record.startsWith(running)) {
    return { _tag: "Running", fingerprint: record.slice(1 + ownerLength) }
  }
  const at = 1 + fingerprintLength
  return { _tag: "Done", fingerprint: record.slice(1, at), reply: record.slice(at) }
}
