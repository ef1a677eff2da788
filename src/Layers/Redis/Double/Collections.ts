/** The commands of the double for hashes, lists, sets and sorted sets. */
import { ErrorReply, type Reply, type Store } from "./Store.ts"
import { type Command, integer, pairs, syntaxError } from "./Strings.ts"

const count = (items: Iterable<string>, change: (item: string) => boolean): number =>
  [...items].filter(change).length

const push =
  (isLeft: boolean): Command =>
  (store, [key, ...items]) =>
    store.change(key!, "list", (list) =>
      isLeft ? list.unshift(...items.toReversed()) : list.push(...items)
    )

const pop =
  (isLeft: boolean): Command =>
  (store, [key]) =>
    store.change(key!, "list", (list) => (isLeft ? list.shift() : list.pop()) ?? null)

/** Returns the items between two positions, which count from the end if they are negative. */
const slice = <A>(items: ReadonlyArray<A>, from: number, to: number): ReadonlyArray<A> => {
  const at = (index: number) => (index < 0 ? items.length + index : index)
  return items.slice(Math.max(at(from), 0), at(to) + 1)
}

const score = (text: string | undefined): number => {
  const value = /^[+-]?inf$/i.test(text ?? "")
    ? Number(text!.replace(/inf/i, "Infinity"))
    : Number(text ?? "x")
  if (Number.isNaN(value) || text === "") throw new ErrorReply("ERR value is not a valid float")
  return value
}

/** `ZADD key [NX | XX] [GT | LT] [CH] score member ...`. */
const zadd: Command = (store, [key, ...given]) => {
  const flags = new Set<string>()
  let args = given
  while (/^(NX|XX|GT|LT|CH)$/i.test(args[0] ?? "")) {
    flags.add(args[0]!.toUpperCase())
    args = args.slice(1)
  }
  const scored = pairs("zadd", args).map(([text, member]): [string, number] => [
    member,
    score(text)
  ])
  return store.change(key!, "zset", (members) => {
    let [added, changed] = [0, 0]
    for (const [member, value] of scored) {
      const before = members.get(member)
      if (before === undefined ? flags.has("XX") : flags.has("NX")) continue
      if (before !== undefined && flags.has("GT") && value <= before) continue
      if (before !== undefined && flags.has("LT") && value >= before) continue
      if (before === undefined) added++
      else if (before !== value) changed++
      members.set(member, value)
    }
    return flags.has("CH") ? added + changed : added
  })
}

const ordered = (store: Store, key: string): ReadonlyArray<readonly [string, number]> =>
  [...store.read(key, "zset")].toSorted(([a, one], [b, two]) => one - two || (a < b ? -1 : 1))

/** Returns the test of a score for the bounds of a range; `(` excludes the bound. */
const inRange = (from: string | undefined, to: string | undefined) => {
  const [low, high] = [from, to].map((text) => score(text?.replace(/^\(/, "")))
  return ([, value]: readonly [string, number]): boolean =>
    (from!.startsWith("(") ? value > low! : value >= low!) &&
    (to!.startsWith("(") ? value < high! : value <= high!)
}

/** `ZRANGE key from to [BYSCORE] [REV] [LIMIT offset count] [WITHSCORES]`. */
const zrange: Command = (store, [key, from, to, ...options]) => {
  let [isByScore, isReverse, isScored] = [false, false, false]
  let limit: [number, number] | undefined
  for (let i = 0; i < options.length; i++) {
    const option = options[i]!.toUpperCase()
    if (option === "BYSCORE") isByScore = true
    else if (option === "REV") isReverse = true
    else if (option === "WITHSCORES") isScored = true
    else if (option === "LIMIT") limit = [integer(options[++i]), integer(options[++i])]
    else throw syntaxError()
  }
  if (limit !== undefined && !isByScore) throw syntaxError()
  const all = isReverse ? ordered(store, key!).toReversed() : ordered(store, key!)
  const [low, high] = isReverse ? [to, from] : [from, to]
  const found = isByScore ? all.filter(inRange(low, high)) : slice(all, integer(from), integer(to))
  const [offset, most] = limit ?? [0, -1]
  const kept = found.slice(offset, most < 0 ? undefined : offset + most)
  return kept.map(([member, value]): Reply => (isScored ? [member, value] : member))
}

const removed = (store: Store, key: string, members: ReadonlyArray<readonly [string, number]>) =>
  store.change(key, "zset", (all) =>
    count(
      members.map(([name]) => name),
      (name) => all.delete(name)
    )
  )

/** The commands by name. */
export const commands: Readonly<Record<string, Command>> = {
  HDEL: (store, [key, ...fields]) =>
    store.change(key!, "hash", (hash) => count(fields, (field) => hash.delete(field))),
  HEXISTS: (store, [key, field]) => (store.read(key!, "hash").has(field!) ? 1 : 0),
  HGET: (store, [key, field]) => store.read(key!, "hash").get(field!) ?? null,
  HGETALL: (store, [key]) => Object.fromEntries(store.read(key!, "hash")),
  HINCRBY: (store, [key, field, by]) =>
    store.change(key!, "hash", (hash) => {
      const value = integer(hash.get(field!) ?? "0") + integer(by)
      hash.set(field!, String(value))
      return value
    }),
  HLEN: (store, [key]) => store.read(key!, "hash").size,
  HMGET: (store, [key, ...fields]) => {
    const hash = store.read(key!, "hash")
    return fields.map((field) => hash.get(field) ?? null)
  },
  HSET: (store, [key, ...args]) =>
    store.change(key!, "hash", (hash) => {
      const before = hash.size
      for (const [field, text] of pairs("hset", args)) hash.set(field, text)
      return hash.size - before
    }),
  LLEN: (store, [key]) => store.read(key!, "list").length,
  LPOP: pop(true),
  LPUSH: push(true),
  LRANGE: (store, [key, from, to]) => slice(store.read(key!, "list"), integer(from), integer(to)),
  RPOP: pop(false),
  RPUSH: push(false),
  SADD: (store, [key, ...members]) =>
    store.change(key!, "set", (set) =>
      count(members, (member) => !set.has(member) && !!set.add(member))
    ),
  SCARD: (store, [key]) => store.read(key!, "set").size,
  SISMEMBER: (store, [key, member]) => (store.read(key!, "set").has(member!) ? 1 : 0),
  SMEMBERS: (store, [key]) => [...store.read(key!, "set")],
  SREM: (store, [key, ...members]) =>
    store.change(key!, "set", (set) => count(members, (member) => set.delete(member))),
  ZADD: zadd,
  ZCARD: (store, [key]) => store.read(key!, "zset").size,
  ZCOUNT: (store, [key, from, to]) => ordered(store, key!).filter(inRange(from, to)).length,
  ZINCRBY: (store, [key, by, member]) =>
    store.change(key!, "zset", (members) => {
      const value = (members.get(member!) ?? 0) + score(by)
      members.set(member!, value)
      return value
    }),
  ZRANGE: zrange,
  ZREM: (store, [key, ...members]) =>
    store.change(key!, "zset", (all) => count(members, (member) => all.delete(member))),
  ZREMRANGEBYSCORE: (store, [key, from, to]) =>
    removed(store, key!, ordered(store, key!).filter(inRange(from, to))),
  ZSCORE: (store, [key, member]) => store.read(key!, "zset").get(member!) ?? null
}
