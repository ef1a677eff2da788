/**
 * The scripts of the store in Redis. All keys of a queue begin with the same key, which has the hash tag of
 * the queue: they are on one node of a cluster.
 *
 * | key | type | content |
 * |---|---|---|
 * | (the first) | hash | `n` the last sequence, `p` whether it is paused, `l` the tenant that was served last |
 * | `:i:<id>` | hash | an item |
 * | `:k:<state>` | sorted set | ids by the time at which the state ends or began |
 * | `:s:<state>` | sorted set | ids by sequence |
 * | `:t` | sorted set | the tenants with waiting items |
 * | `:w:<tenant>` | sorted set | waiting ids in the order of claims |
 */
import * as Redis from "effect/persistence/Redis"

/** The most items that one run of a script moves because of their time. Redis serves no other client meanwhile. */
export const batch = 500

// A score is exact up to 2^53: 2001 priorities, and 2^41 items.
const prelude = `
local base = KEYS[1]
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function whole(number) return string.format("%.0f", number) end
local function read(id)
  local f = redis.call("HMGET", base .. ":i:" .. id, "s", "n", "q", "p", "t", "k", "a", "d")
  if not f[1] then return nil end
  return {state = f[1], tenant = f[2], sequence = f[3], priority = tonumber(f[4]), token = f[5], keep = f[6], attempts = tonumber(f[7]), due = tonumber(f[8])}
end
local function unlink(id, item)
  redis.call("ZREM", base .. ":s:" .. item.state, id)
  redis.call("ZREM", base .. ":k:" .. item.state, id)
  if item.state == "waiting" then
    local line = base .. ":w:" .. item.tenant
    redis.call("ZREM", line, id)
    if redis.call("EXISTS", line) == 0 then redis.call("ZREM", base .. ":t", item.tenant) end
  end
end
local function link(id, item, state, at)
  redis.call("ZADD", base .. ":s:" .. state, item.sequence, id)
  redis.call("ZADD", base .. ":k:" .. state, whole(at), id)
  if state == "waiting" then
    redis.call("ZADD", base .. ":w:" .. item.tenant, whole((1000 - item.priority) * 2199023255552 + item.sequence), id)
    redis.call("ZADD", base .. ":t", 0, item.tenant)
  end
end
local function move(id, item, state, at, ...)
  unlink(id, item)
  link(id, item, state, at)
  redis.call("HSET", base .. ":i:" .. id, "s", state, "u", whole(now), ...)
end
local function release(id, item)
  move(id, item, "waiting", item.due, "a", item.attempts - 1)
end
local function drop(id, item)
  unlink(id, item)
  redis.call("DEL", base .. ":i:" .. id)
end
-- A server that evicts keys removes a part of an item or of a list. What is left is removed when it is met.
local function readIn(state, id)
  local item = read(id)
  if item and item.state == state then return item end
  redis.call("ZREM", base .. ":s:" .. state, id)
  redis.call("ZREM", base .. ":k:" .. state, id)
  return nil
end
`

/** Creates a script. The first parameter is the first key of the queue. */
const script = <Result>(lua: string) =>
  Redis.script((base: string, ...rest: ReadonlyArray<string>) => [base, ...rest], {
    lua: prelude + lua,
    numberOfKeys: 1
  }).withReturnType<Result>()

/** Parameters: channel, queue, and six texts for each item. Returns `1` for each that was added. */
export const offer = script<ReadonlyArray<number>>(`
local added = {}
local isNew = false
for i = 3, #ARGV, 6 do
  local id = ARGV[i]
  local key = base .. ":i:" .. id
  if redis.call("EXISTS", key) == 1 then
    added[#added + 1] = 0
  else
    local sequence = redis.call("HINCRBY", base, "n", 1)
    local delay = tonumber(ARGV[i + 2])
    local item = {sequence = sequence, priority = tonumber(ARGV[i + 3]), tenant = ARGV[i + 4]}
    local state = delay > 0 and "delayed" or "waiting"
    redis.call("HSET", key, "e", ARGV[i + 1], "s", state, "n", item.tenant, "q", sequence, "p", ARGV[i + 3],
      "t", "", "k", ARGV[i + 5], "a", 0, "d", whole(now + delay), "c", whole(now), "u", whole(now))
    link(id, item, state, now + delay)
    added[#added + 1] = 1
    isNew = true
  end
end
if isNew then redis.call("PUBLISH", ARGV[1], ARGV[2]) end
return added`)

/** A claimed item, as the script returns it. */
export type ClaimedRow = readonly [id: string, attempts: number, age: number, element: string]

/** Parameters: token, limit, lease, attempts of the queue, text of a lost attempt 0, the time of the server until which the claim ends leases. */
export const claim = script<
  readonly [
    next: number,
    rows: ReadonlyArray<ClaimedRow>,
    now: number,
    dead: ReadonlyArray<readonly [id: string, attempts: number]>
  ]
>(`
local endsLeases = now <= tonumber(ARGV[6])
for _, id in ipairs(redis.call("ZRANGEBYSCORE", base .. ":k:delayed", "-inf", whole(now), "LIMIT", 0, ${batch})) do
  local item = readIn("delayed", id)
  if item then move(id, item, "waiting", item.due) end
end
local ended = endsLeases and redis.call("ZRANGEBYSCORE", base .. ":k:running", "-inf", whole(now), "LIMIT", 0, ${batch}) or {}
local dead = {}
for _, id in ipairs(ended) do
  local item = readIn("running", id)
  if item and item.attempts >= tonumber(ARGV[4]) then
    local failure = string.gsub(ARGV[5], "attempt 0", "attempt " .. item.attempts)
    move(id, item, "dead", now, "f", failure)
    dead[#dead + 1] = {id, item.attempts}
  elseif item then
    move(id, item, "waiting", item.due)
  end
end
local rows = {}
local limit = tonumber(ARGV[2])
local meta = redis.call("HMGET", base, "p", "l")
local last = meta[2] or ""
local count = 0
local function take(tenant, most)
  local line = base .. ":w:" .. tenant
  local ids = redis.call("ZRANGE", line, 0, most - 1)
  if #ids == 0 then redis.call("ZREM", base .. ":t", tenant) end
  for _, id in ipairs(ids) do
    local item = readIn("waiting", id)
    if item then
      local key = base .. ":i:" .. id
      local attempts = item.attempts + 1
      move(id, item, "running", now + tonumber(ARGV[3]), "a", attempts, "t", ARGV[1])
      count = count + 1
      rows[count] = {id, attempts, math.max(0, now - item.due), redis.call("HGET", key, "e")}
    else
      redis.call("ZREM", line, id)
    end
  end
  last = tenant
end
while not meta[1] and count < limit do
  local left = limit - count
  local tenants = redis.call("ZRANGEBYLEX", base .. ":t", "(" .. last, "+", "LIMIT", 0, left)
  if #tenants == 0 then tenants = redis.call("ZRANGEBYLEX", base .. ":t", "-", "+", "LIMIT", 0, left) end
  if #tenants == 0 then break end
  if #tenants == 1 and redis.call("ZCARD", base .. ":t") == 1 then
    take(tenants[1], left)
  else
    for _, tenant in ipairs(tenants) do take(tenant, 1) end
  end
end
if count > 0 then redis.call("HSET", base, "l", last) end
local next = -1
for _, state in ipairs(endsLeases and {"delayed", "running"} or {"delayed"}) do
  local first = redis.call("ZRANGE", base .. ":k:" .. state, 0, 0, "WITHSCORES")
  if first[1] then
    local wait = math.max(0, tonumber(first[2]) - now)
    if next < 0 or wait < next then next = wait end
  end
end
return {next, rows, now, dead}`)

/** Parameters: channel, queue, token. */
export const abandon = script<number>(`
local count = 0
for _, id in ipairs(redis.call("ZRANGE", base .. ":k:running", 0, -1)) do
  if redis.call("HGET", base .. ":i:" .. id, "t") == ARGV[3] then
    local item = readIn("running", id)
    if item then
      release(id, item)
      count = count + 1
    end
  end
end
if count > 0 then redis.call("PUBLISH", ARGV[1], ARGV[2]) end
return count`)

/** Parameters: channel, queue, and five texts for each settlement. Returns the ids that were lost. */
export const settle = script<ReadonlyArray<string>>(`
local lost = {}
local isAwaited = false
for i = 3, #ARGV, 5 do
  local id, tag, text = ARGV[i], ARGV[i + 2], ARGV[i + 4]
  local item = read(id)
  if not item or item.state ~= "running" or item.token ~= ARGV[i + 1] then
    lost[#lost + 1] = id
  elseif tag == "Completed" then
    if item.keep == "0" then drop(id, item)
    elseif text == "" then move(id, item, "completed", now)
    else move(id, item, "completed", now, "r", text) end
  elseif tag == "Dead" then
    move(id, item, "dead", now, "f", text)
  elseif tag == "Released" then
    release(id, item)
    isAwaited = true
  else
    local delay = tonumber(ARGV[i + 3])
    move(id, item, delay > 0 and "delayed" or "waiting", now + delay, "f", text, "d", whole(now + delay))
    isAwaited = true
  end
end
if isAwaited then redis.call("PUBLISH", ARGV[1], ARGV[2]) end
return lost`)

/** Parameters: lease, and id and token of each claim. Returns the ids that were lost. */
export const renew = script<ReadonlyArray<string>>(`
local lost = {}
for i = 2, #ARGV, 2 do
  local item = read(ARGV[i])
  if item and item.state == "running" and item.token == ARGV[i + 1] then
    redis.call("ZADD", base .. ":k:running", whole(now + tonumber(ARGV[1])), ARGV[i])
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return lost`)

const requeued = `
local function requeue(id, item)
  move(id, item, "waiting", now, "a", 0, "d", whole(now))
end
`

/** Parameters: channel, queue, ids. Returns how many were requeued. */
export const requeue = script<number>(`${requeued}
local count = 0
for i = 3, #ARGV do
  local item = read(ARGV[i])
  if item and item.state ~= "running" and item.state ~= "waiting" then
    requeue(ARGV[i], item)
    count = count + 1
  end
end
if count > 0 then redis.call("PUBLISH", ARGV[1], ARGV[2]) end
return count`)

/**
 * Requeues some that are dead. Parameters: channel, queue, the latest time of their death or "". Returns how
 * many, whether more may be there, and the time to give to the next call.
 */
export const requeueDead = script<
  readonly [count: number, isMore: number, until: string]
>(`${requeued}
local latest = ARGV[3] == "" and whole(now) or ARGV[3]
local ids = redis.call("ZRANGEBYSCORE", base .. ":k:dead", "-inf", latest, "LIMIT", 0, ${batch})
local count = 0
for _, id in ipairs(ids) do
  local item = readIn("dead", id)
  if item then
    requeue(id, item)
    count = count + 1
  end
end
if count > 0 then redis.call("PUBLISH", ARGV[1], ARGV[2]) end
return {count, #ids == ${batch} and 1 or 0, latest}`)

/** Parameters: ids. Returns how many were removed. */
export const remove = script<number>(`
local count = 0
for i = 1, #ARGV do
  local item = read(ARGV[i])
  if item and item.state ~= "running" then
    drop(ARGV[i], item)
    count = count + 1
  end
end
return count`)

/** Parameters: ages of completed and dead items. Returns 1 if more may be there. */
export const cleanup = script<number>(`
local isMore = 0
for i, state in ipairs({"completed", "dead"}) do
  local ids = redis.call("ZRANGEBYSCORE", base .. ":k:" .. state, "-inf", "(" .. whole(now - tonumber(ARGV[i])), "LIMIT", 0, ${batch})
  for _, id in ipairs(ids) do
    local item = readIn(state, id)
    if item then drop(id, item) end
  end
  if #ids == ${batch} then isMore = 1 end
end
return isMore`)

/** The fields of an item that administrators see. */
const fields = `"HMGET", base .. ":i:" .. id, "q", "a", "c", "d", "e", "f", "p", "r", "s", "n", "u"`

/** An item, as the scripts return it. */
export type ItemRow = readonly [
  sequence: string | null,
  attempts: string,
  createdAt: string,
  dueAt: string,
  element: string,
  failure: string | null,
  priority: string,
  result: string | null,
  state: string,
  tenant: string,
  updatedAt: string,
  id: string
]

/** Parameters: state, sequence after which the list begins, limit. */
export const list = script<ReadonlyArray<ItemRow>>(`
local rows = {}
for _, id in ipairs(redis.call("ZRANGEBYSCORE", base .. ":s:" .. ARGV[1], "(" .. ARGV[2], "+inf", "LIMIT", 0, ARGV[3])) do
  local row = redis.call(${fields})
  row[12] = id
  if row[1] then rows[#rows + 1] = row end
end
return rows`)

/** Parameter: id. */
export const get = script<ItemRow>(`
local id = ARGV[1]
local row = redis.call(${fields})
row[12] = id
return row`)

/** Returns the number of items of each state, by name of the state, the longest wait, and 1 if it is paused. */
export const stats = script<
  readonly [
    completed: number,
    dead: number,
    delayed: number,
    running: number,
    waiting: number,
    oldestWaiting: number,
    paused: number
  ]
>(`
local found = {}
for i, state in ipairs({"completed", "dead", "delayed", "running", "waiting"}) do
  found[i] = redis.call("ZCARD", base .. ":s:" .. state)
end
local first = redis.call("ZRANGE", base .. ":k:waiting", 0, 0, "WITHSCORES")
found[6] = first[1] and math.max(0, now - tonumber(first[2])) or 0
found[7] = redis.call("HEXISTS", base, "p")
return found`)

/** Parameters: channel, queue, "1" to pause and "0" to resume. */
export const setPaused = script<number>(`
if ARGV[3] == "1" then
  redis.call("HSET", base, "p", 1)
else
  redis.call("HDEL", base, "p")
  redis.call("PUBLISH", ARGV[1], ARGV[2])
end
return 0`)
