/** How many arguments the commands of the double take. */
import { ErrorReply } from "./Store.ts"

const words = (text: string): ReadonlyArray<string> => text.split(" ")

/** The commands with exactly 0, 1, 2 and 3 arguments. */
const exactly = [
  words("DBSIZE"),
  words(
    "DECR GET GETDEL HGETALL HLEN INCR KEYS LLEN LPOP PERSIST PTTL RPOP SCARD SMEMBERS TTL TYPE ZCARD"
  ),
  words("DECRBY HEXISTS HGET INCRBY PUBLISH SISMEMBER ZSCORE"),
  words("HINCRBY LRANGE ZCOUNT ZINCRBY ZREMRANGEBYSCORE")
]

/** The commands with at least 0, 1, 2 and 3 arguments. */
const atLeast = [
  words("FLUSHDB PING"),
  words("DEL EXISTS MGET SCAN UNLINK"),
  words("EXPIRE HDEL HMGET LPUSH MSET PEXPIRE RPUSH SADD SET SREM ZREM"),
  words("HSET ZADD ZRANGE")
]

const indexed = (lists: ReadonlyArray<ReadonlyArray<string>>) =>
  new Map(lists.flatMap((names, count) => names.map((name) => [name, count] as const)))

const [exact, least] = [indexed(exactly), indexed(atLeast)]

/** Throws the error reply of Redis if a command has too few or too many arguments. */
export const check = (name: string, count: number): void => {
  if (count === exact.get(name) || count >= (least.get(name) ?? Infinity)) return
  throw new ErrorReply(`ERR wrong number of arguments for '${name.toLowerCase()}' command`)
}
