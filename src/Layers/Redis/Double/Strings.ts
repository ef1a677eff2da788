/** The commands of the double for keys and strings. */
import { ErrorReply, type Reply, type Store } from "./Store.ts"

/** A command of the double. The arguments do not have its name. */
export type Command = (store: Store, args: ReadonlyArray<string>) => Reply

/** Returns a whole number, or throws the error reply of Redis. */
export const integer = (text: string | undefined): number => {
  if (text === undefined || !/^-?\d{1,15}$/.test(text)) {
    throw new ErrorReply("ERR value is not an integer or out of range")
  }
  return Number(text)
}

/** The error reply to arguments that a command does not take. */
export const syntaxError = () => new ErrorReply("ERR syntax error")

/** Returns the pairs of a list, which must have an even length. */
export const pairs = (command: string, args: ReadonlyArray<string>) => {
  if (args.length === 0 || args.length % 2 > 0) {
    throw new ErrorReply(`ERR wrong number of arguments for '${command}' command`)
  }
  return Array.from({ length: args.length / 2 }, (_, index): [string, string] => [
    args[2 * index]!,
    args[2 * index + 1]!
  ])
}

const matcher = (glob: string): RegExp => {
  const pattern = glob.replaceAll(
    /\\(.)|\[(\^?)([^[\]]+)\]|[*?]|[.+^${}()|\]\\]/gs,
    (all, escaped, not, set) =>
      escaped !== undefined
        ? escaped.replace(/\W/, "\\$&")
        : set !== undefined
          ? `[${not}${set}]`
          : all === "*"
            ? ".*"
            : all === "?"
              ? "."
              : `\\${all}`
  )
  return new RegExp(`^${pattern}$`, "s")
}

const positive = (command: string, text: string | undefined): number => {
  const value = integer(text)
  if (value <= 0) throw new ErrorReply(`ERR invalid expire time in '${command}' command`)
  return value
}

/** `SET key value [NX | XX] [GET] [EX s | PX ms | KEEPTTL]`. */
const set: Command = (store, [key, text, ...options]) => {
  let expires: number | undefined
  let [only, isGet, isKept] = ["", false, false]
  for (let i = 0; i < options.length; i++) {
    const option = options[i]!.toUpperCase()
    if ((option === "NX" || option === "XX") && only === "") only = option
    else if (option === "GET") isGet = true
    else if (option === "KEEPTTL") isKept = true
    else if (option === "PX") expires = store.now + positive("set", options[++i])
    else if (option === "EX") expires = store.now + 1000 * positive("set", options[++i])
    else throw syntaxError()
  }
  if (text === undefined || (isKept && expires !== undefined)) throw syntaxError()
  const before = isGet ? (store.text(key!) ?? null) : undefined
  const isThere = store.peek(key!) !== undefined
  if ((only === "NX" && isThere) || (only === "XX" && !isThere)) return before ?? null
  store.setText(key!, text, isKept ? store.expiry(key!) : expires)
  return before === undefined ? "OK" : before
}

const add = (store: Store, key: string, by: number): number => {
  const value = integer(store.text(key) ?? "0") + by
  store.setText(key, String(value), store.expiry(key))
  return value
}

const remove: Command = (store, keys) => keys.filter((key) => store.delete(key)).length

const expire =
  (unit: number): Command =>
  (store, [key, time, ...options]) => {
    const expires = store.now + unit * integer(time)
    const before = store.expiry(key!)
    const [option, ...more] = options.map((text) => text.toUpperCase())
    if (more.length > 0) throw syntaxError()
    if (option !== undefined && !["GT", "LT", "NX", "XX"].includes(option)) {
      throw new ErrorReply(`ERR Unsupported option ${option}`)
    }
    const isRefused =
      (option === "NX" && before !== undefined) ||
      (option === "XX" && before === undefined) ||
      (option === "GT" && (before === undefined || expires <= before)) ||
      (option === "LT" && before !== undefined && expires >= before)
    return !isRefused && store.expire(key!, expires) ? 1 : 0
  }

const remaining =
  (unit: number): Command =>
  (store, [key]) => {
    if (store.peek(key!) === undefined) return -2
    const expires = store.expiry(key!)
    return expires === undefined ? -1 : Math.round((expires - store.now) / unit)
  }

const matching = (store: Store, glob: string | undefined): ReadonlyArray<string> => {
  const pattern = matcher(glob ?? "*")
  return store.names().filter((key) => pattern.test(key))
}

/** `SCAN` returns everything at once: the double has few keys. */
const scan: Command = (store, [cursor, ...options]) => {
  integer(cursor)
  const given = new Map(
    options.length === 0
      ? []
      : pairs("scan", options).map(([name, value]) => [name.toUpperCase(), value])
  )
  const type = given.get("TYPE")
  const keys = matching(store, given.get("MATCH")).filter(
    (key) => type === undefined || store.peek(key)?.type === type
  )
  return ["0", keys]
}

/** The commands by name. */
export const commands: Readonly<Record<string, Command>> = {
  DBSIZE: (store) => store.names().length,
  DECR: (store, [key]) => add(store, key!, -1),
  DECRBY: (store, [key, by]) => add(store, key!, -integer(by)),
  DEL: remove,
  EXISTS: (store, keys) => keys.filter((key) => store.peek(key) !== undefined).length,
  EXPIRE: expire(1000),
  FLUSHDB: (store) => {
    store.clear()
    return "OK"
  },
  GET: (store, [key]) => store.text(key!) ?? null,
  GETDEL: (store, [key]) => {
    const text = store.text(key!) ?? null
    store.delete(key!)
    return text
  },
  INCR: (store, [key]) => add(store, key!, 1),
  INCRBY: (store, [key, by]) => add(store, key!, integer(by)),
  KEYS: (store, [glob]) => matching(store, glob),
  MGET: (store, keys) =>
    keys.map((key) => {
      const value = store.peek(key)
      return value !== undefined && "text" in value ? value.text : null
    }),
  MSET: (store, args) => {
    for (const [key, text] of pairs("mset", args)) store.setText(key, text, undefined)
    return "OK"
  },
  PERSIST: (store, [key]) => {
    const isTimed = store.expiry(key!) !== undefined
    store.expire(key!, undefined)
    return isTimed ? 1 : 0
  },
  PEXPIRE: expire(1),
  PING: () => "PONG",
  PTTL: remaining(1),
  SCAN: scan,
  SET: set,
  TTL: remaining(1000),
  TYPE: (store, [key]) => store.peek(key!)?.type ?? "none",
  UNLINK: remove
}
