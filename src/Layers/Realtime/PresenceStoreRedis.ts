/**
 * The store of members in Redis or Valkey.
 *
 * - `PREFIX:nodes`: a sorted set of the nodes by the end of their lease
 * - `PREFIX:node:NODE`: the set of the addresses where a node has members
 * - `PREFIX:at:ADDRESS`: the set of the nodes that have members at an address
 * - `PREFIX:at:ADDRESS:NODE`: a hash of the members of a node at an address
 */
import * as Effect from "effect/Effect"
import * as Redis from "effect/persistence/Redis"
import { BroadcastUnavailable } from "./BroadcastErrors.ts"
import { leaseEnded, type Store } from "./PresenceStore.ts"

/** How many addresses of a dead node one call of `prune` removes. */
const batch = 500

const now = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)`

const register = Redis.script(
  (prefix: string, node: string, lease: number) => [`${prefix}:nodes`, node, lease],
  {
    lua: `${now}
redis.call("ZADD", KEYS[1], now + tonumber(ARGV[2]), ARGV[1])`,
    numberOfKeys: 1
  }
)

const renew = Redis.script(
  (prefix: string, node: string, lease: number) => [`${prefix}:nodes`, node, lease],
  {
    lua: `${now}
local expires = redis.call("ZSCORE", KEYS[1], ARGV[1])
if expires and tonumber(expires) > now then
  redis.call("ZADD", KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
end
return redis.call("ZRANGEBYSCORE", KEYS[1], "(" .. now, "+inf")`,
    numberOfKeys: 1
  }
).withReturnType<ReadonlyArray<string>>()

const rows = Redis.script((prefix: string, address: string) => [prefix, address], {
  lua: `${now}
local found = {}
local at = ARGV[1] .. ":at:" .. ARGV[2]
for _, node in ipairs(redis.call("SMEMBERS", at)) do
  local expires = redis.call("ZSCORE", ARGV[1] .. ":nodes", node)
  if expires and tonumber(expires) > now then
    found[#found + 1] = { node, redis.call("HGETALL", at .. ":" .. node) }
  end
end
return found`,
  numberOfKeys: 0
}).withReturnType<ReadonlyArray<readonly [node: string, members: ReadonlyArray<string>]>>()

// An empty value removes the member: the value of a member is JSON, which is never empty.
const write = Redis.script(
  (prefix: string, node: string, changes: ReadonlyArray<string>) => [prefix, node, ...changes],
  {
    lua: `
if not redis.call("ZSCORE", ARGV[1] .. ":nodes", ARGV[2]) then return 0 end
local addresses = ARGV[1] .. ":node:" .. ARGV[2]
for i = 3, #ARGV, 3 do
  local at = ARGV[1] .. ":at:" .. ARGV[i]
  local members = at .. ":" .. ARGV[2]
  if ARGV[i + 2] ~= "" then
    redis.call("HSET", members, ARGV[i + 1], ARGV[i + 2])
    redis.call("SADD", at, ARGV[2])
    redis.call("SADD", addresses, ARGV[i])
  elseif redis.call("HDEL", members, ARGV[i + 1]) == 1 and redis.call("EXISTS", members) == 0 then
    redis.call("SREM", at, ARGV[2])
    redis.call("SREM", addresses, ARGV[i])
  end
end
return 1`,
    numberOfKeys: 0
  }
).withReturnType<number>()

/** Removes a part of a node. Returns whether more of it is there. */
const removal = `
local function remove(prefix, node)
  local addresses = redis.call("SPOP", prefix .. ":node:" .. node, ${batch})
  for _, address in ipairs(addresses) do
    local at = prefix .. ":at:" .. address
    redis.call("UNLINK", at .. ":" .. node)
    redis.call("SREM", at, node)
  end
  if #addresses == ${batch} then return 1 end
  redis.call("ZREM", prefix .. ":nodes", node)
  return 0
end`

const remove = Redis.script((prefix: string, node: string) => [prefix, node], {
  lua: `${removal}
redis.call("ZADD", ARGV[1] .. ":nodes", 0, ARGV[2])
return remove(ARGV[1], ARGV[2])`,
  numberOfKeys: 0
}).withReturnType<number>()

const prune = Redis.script((prefix: string) => [prefix], {
  lua: `${now}${removal}
local dead = redis.call("ZRANGEBYSCORE", ARGV[1] .. ":nodes", "-inf", now, "LIMIT", 0, 1)
if #dead == 0 then return 0 end
remove(ARGV[1], dead[1])
return 1`,
  numberOfKeys: 0
}).withReturnType<number>()

/** Creates the store. `prefix` begins each of its keys. */
export const make = (redis: Redis.Redis["Service"], prefix: string): Store => {
  const stored = <A>(operation: string, effect: Effect.Effect<A, Redis.RedisError>) =>
    Effect.mapError(effect, ({ cause }) => new BroadcastUnavailable({ cause, operation }))
  const removed = (node: string): Effect.Effect<void, Redis.RedisError> =>
    Effect.flatMap(redis.eval(remove)(prefix, node), (isMore) =>
      isMore === 1 ? removed(node) : Effect.void
    )
  return {
    prune: stored(
      "prune members",
      Effect.map(redis.eval(prune)(prefix), (isMore) => isMore === 1)
    ),
    register: (node, lease) =>
      stored("register a process", redis.eval(register)(prefix, node, lease)),
    remove: (node) => stored("remove a process", removed(node)),
    renew: (node, lease) => stored("renew a lease", redis.eval(renew)(prefix, node, lease)),
    rows: (address) =>
      stored(
        "list members",
        Effect.map(redis.eval(rows)(prefix, address), (found) =>
          found.flatMap(([node, fields]) =>
            fields.flatMap((id, index) =>
              index % 2 === 0 ? [{ id, node, value: fields[index + 1]! }] : []
            )
          )
        )
      ),
    write: (node, changes) =>
      stored(
        "write members",
        redis.eval(write)(
          prefix,
          node,
          changes.flatMap(({ address, id, value }) => [address, id, value ?? ""])
        )
      ).pipe(
        Effect.flatMap((isWritten) => (isWritten === 1 ? Effect.void : Effect.fail(leaseEnded)))
      )
  }
}
