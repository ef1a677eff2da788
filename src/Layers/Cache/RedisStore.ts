/** The backend in Redis or Valkey. */
import * as Effect from "effect/Effect"
import * as Redis from "effect/persistence/Redis"
import {
  CacheStoreError,
  type Claim,
  idLength,
  type Item,
  type Kept,
  type Store
} from "./CacheStore.ts"

const whole = (millis: number): string => String(Math.max(1, Math.ceil(millis)))

// A key that holds something else than a string is no record: `pcall` returns the error of it.
const ensure = Redis.script(
  (claims: ReadonlyArray<Claim>, id: string) => [
    ...claims.map(({ key }) => key),
    id,
    ...claims.flatMap(({ extend, ttl }) => [whole(ttl), extend ? "1" : "0"])
  ],
  {
    lua: `
local ids = {}
for i, key in ipairs(KEYS) do
  local ttl = tonumber(ARGV[2 * i])
  local id = redis.pcall("GETRANGE", key, 0, ${idLength - 1})
  if type(id) ~= "string" or id == "" then
    id = ARGV[1]
    redis.call("SET", key, id, "PX", ttl)
  elseif ARGV[2 * i + 1] == "1" and redis.call("PTTL", key) < ttl / 2 then
    redis.call("PEXPIRE", key, ttl)
  end
  ids[i] = id
end
return ids`,
    numberOfKeys: (claims) => claims.length
  }
).withReturnType<ReadonlyArray<string>>()

const replace = Redis.script(
  (key: string, expected: string | undefined, next: Kept | undefined) => [
    key,
    expected ?? "",
    next?.value ?? "",
    whole(next?.ttl ?? 1)
  ],
  {
    lua: `
if redis.pcall("GETRANGE", KEYS[1], 0, ${idLength - 1}) ~= ARGV[1] then return 0 end
if ARGV[2] == "" then
  redis.call("DEL", KEYS[1])
else
  redis.call("SET", KEYS[1], ARGV[2], "PX", ARGV[3])
end
return 1`,
    numberOfKeys: 1
  }
).withReturnType<number>()

/** Returns an effect whose failure is that of the store. */
export const stored = <A>(
  operation: string,
  effect: Effect.Effect<A, Redis.RedisError>
): Effect.Effect<A, CacheStoreError> =>
  Effect.mapError(effect, ({ cause }) => new CacheStoreError({ cause, operation }))

/** A store in Redis or Valkey. Redis removes the records that expire. */
export class RedisStore implements Store {
  readonly backend: string = "redis"
  readonly peek = undefined
  readonly #redis: Redis.Redis["Service"]

  constructor(redis: Redis.Redis["Service"]) {
    this.#redis = redis
  }

  readonly delete: Store["delete"] = (keys) =>
    stored("delete", Effect.asVoid(this.#redis.send("UNLINK", ...keys)))

  readonly ensure: Store["ensure"] = (claims, id) =>
    stored("ensure", this.#redis.eval(ensure)(claims, id))

  readonly get: Store["get"] = (keys) =>
    stored(
      "get",
      Effect.map(this.#redis.send<ReadonlyArray<string | null>>("MGET", ...keys), (values) =>
        values.map((value) => value ?? undefined)
      )
    )

  readonly replace: Store["replace"] = (key, expected, next) =>
    stored(
      "replace",
      Effect.map(this.#redis.eval(replace)(key, expected, next), (replaced) => replaced === 1)
    )

  readonly set: Store["set"] = (items) =>
    stored(
      "set",
      // The client sends them in one write.
      Effect.forEach(items, (item) => this.#set(item), { concurrency: "unbounded", discard: true })
    )

  #set({ key, ttl, value }: Item): Effect.Effect<unknown, Redis.RedisError> {
    return this.#redis.send("SET", key, value, "PX", whole(ttl))
  }
}
