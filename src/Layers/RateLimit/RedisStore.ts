/** Counts in Redis or Valkey, which all processes of an app share. */
import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Redis from "effect/persistence/Redis"
import type { Take, Taken } from "./Rule.ts"
import { parts } from "./SlidingWindow.ts"
import { RateLimitStoreError, type Shape } from "./Store.ts"

/**
 * Decides like `MemoryStore`, in one round trip and by the clock of the server, so that the clocks of
 * processes do not matter. A key that holds something else counts as a new one. Redis forgets a count
 * that says nothing any more: a full bucket, or an empty window.
 *
 * The scripts of `effect/persistence/RateLimiter` do not do this: they have no sliding window, decide
 * about one limit at a time, and fill buckets by the clock of the calling process.
 */
const script = Redis.script(
  (prefix: string, takes: ReadonlyArray<Take>) => [
    ...takes.map((take) => keyOf(prefix, take)),
    ...takes.flatMap(({ rule: { algorithm, capacity, cost, limit, windowMillis } }) => [
      algorithm === "token-bucket" ? "t" : "w",
      capacity,
      cost,
      limit,
      windowMillis
    ])
  ],
  {
    lua: `
local time = redis.call("TIME")
local now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000

local function millis(time)
  return math.max(1, math.ceil(time))
end

local function read(key)
  local text = redis.pcall("GET", key)
  if type(text) ~= "string" then return {} end
  local numbers = {}
  for word in string.gmatch(text, "%S+") do
    local number = tonumber(word)
    if number == nil or number ~= number then return {} end
    numbers[#numbers + 1] = number
  end
  return numbers
end

local function bucket(key, rule)
  local numbers = read(key)
  local tokens, at = rule.capacity, now
  if #numbers == 2 then tokens, at = numbers[1], numbers[2] end
  local back = at > now
  if back then at = now end
  local due = math.floor((now - at) * rule.limit / rule.window)
  if due > 0 then
    tokens = tokens + due
    at = at + due * rule.window / rule.limit
  end
  if tokens >= rule.capacity then tokens, at = rule.capacity, now end
  local interval = rule.window / rule.limit
  local missing = rule.cost - tokens
  return {
    remaining = tokens,
    reset = millis(interval - (now - at)),
    wait = missing <= 0 and 0 or millis(missing * interval - (now - at)),
    dirty = back,
    save = function(units)
      local left = tokens - units
      local ttl = millis((rule.capacity - left) * interval - (now - at))
      redis.call("SET", key, string.format("%.17g %.17g", left, at), "PX", string.format("%.0f", ttl))
    end
  }
end

local function window(key, rule)
  local numbers = read(key)
  local latest = now
  if rule.limit > ${parts} then
    local part = rule.window / ${parts}
    latest = math.ceil(now / part) * part
  end
  local entries, used, back = {}, 0, false
  local function add(at, units)
    local last = entries[#entries]
    if last ~= nil and last[1] == at then
      last[2] = last[2] + units
    else
      entries[#entries + 1] = { at, units }
    end
  end
  for i = 1, #numbers - 1, 2 do
    local at, units = numbers[i], numbers[i + 1]
    if at > latest then at, back = latest, true end
    if at > now - rule.window then
      add(at, units)
      used = used + units
    end
  end
  local missing, wait = used + rule.cost - rule.limit, 0
  for _, entry in ipairs(entries) do
    if missing <= 0 then break end
    missing = missing - entry[2]
    wait = millis(entry[1] + rule.window - now)
  end
  local first = entries[1] and entries[1][1] or latest
  return {
    remaining = math.max(0, rule.limit - used),
    reset = millis(first + rule.window - now),
    wait = wait,
    dirty = back,
    save = function(units)
      if units > 0 then add(latest, units) end
      local words = {}
      for _, entry in ipairs(entries) do
        words[#words + 1] = string.format("%.17g %.17g", entry[1], entry[2])
      end
      local ttl = millis(entries[#entries][1] + rule.window - now)
      redis.call("SET", key, table.concat(words, " "), "PX", string.format("%.0f", ttl))
    end
  }
end

local counts, passes = {}, true
for i, key in ipairs(KEYS) do
  local at = 5 * (i - 1)
  local rule = {
    capacity = tonumber(ARGV[at + 2]),
    cost = tonumber(ARGV[at + 3]),
    limit = tonumber(ARGV[at + 4]),
    window = tonumber(ARGV[at + 5])
  }
  counts[i] = ARGV[at + 1] == "t" and bucket(key, rule) or window(key, rule)
  passes = passes and counts[i].wait == 0
end

local answer = {}
for i, count in ipairs(counts) do
  local units = passes and tonumber(ARGV[5 * (i - 1) + 3]) or 0
  if units > 0 or count.dirty then count.save(units) end
  answer[#answer + 1] = count.remaining - units
  answer[#answer + 1] = count.reset
  answer[#answer + 1] = count.wait
end
return answer`,
    numberOfKeys: (_prefix, takes) => takes.length
  }
).withReturnType<ReadonlyArray<number>>()

/** A digest has a fixed length, and neither an address nor a name of a caller is in the key. */
const keyOf = (prefix: string, { key, name, rule }: Take): string => {
  // UTF-8 would make different texts with lone surrogates equal.
  const digest = createHash("sha256").update(Buffer.from(key, "utf16le")).digest("base64url")
  return `${prefix}rate-limit:{${digest.slice(0, 22)}}:${name}:${rule.algorithm === "token-bucket" ? "t" : "w"}`
}

/** A store in Redis. Its keys begin with `prefix`. */
export class RedisStore implements Shape {
  readonly take: Shape["take"]

  constructor(redis: Redis.Redis["Service"], prefix: string) {
    const decide = redis.eval(script)
    this.take = (takes) =>
      Effect.mapBoth(decide(prefix, takes), {
        onFailure: ({ cause }) => new RateLimitStoreError({ cause }),
        onSuccess: (answer) =>
          takes.map((_, i): Taken => {
            const [remaining, resetMillis, waitMillis] = answer.slice(3 * i) as [
              number,
              number,
              number
            ]
            return { remaining, resetMillis, waitMillis }
          })
      })
  }
}
