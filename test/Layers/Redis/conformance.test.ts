// The double and a real Redis give the same replies to the same commands.
import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { Redis } from "flange/Redis"
import { TestRedis } from "flange/Redis/Testing"
import { connect } from "../../../src/Layers/Redis/Connect.ts"
import { describeRedis, redisServer, settings } from "./server.ts"

/** Commands, one a line; `_` is the empty text. Each group begins with no key. */
const groups: Readonly<Record<string, string>> = {
  "expiry of keys": `
    SET a 1 EX 100 | TTL a | PERSIST a | PERSIST a | TTL a | PTTL none | EXPIRE a 50 | EXPIRE none 50
    EXPIRE a 60 NX | EXPIRE a 60 XX | EXPIRE a 50 GT | EXPIRE a 50 LT | TTL a | SET a 2 KEEPTTL | TTL a
    SET a 3 | TTL a | PEXPIRE a 100000 | TTL a | PEXPIRE a -1 | EXISTS a | SET a 1 PX 0 | EXPIRE a 1 ZZ
    INCR n | EXPIRE n 100 | INCR n | TTL n | HSET h f v | EXPIRE h 100 | HSET h g v | TTL h | RPUSH l x
    EXPIRE l 100 | LPOP l | RPUSH l y | TTL l`,
  hashes: `
    HSET h a 1 b 2 | HSET h a 3 c 4 | HGET h a | HGET h z | HGET none a | HMGET h a z c | HGETALL h
    HGETALL none | HINCRBY h a 4 | HINCRBY h new -1 | HINCRBY h b x | HEXISTS h a | HEXISTS h z | HLEN h
    HDEL h a z | HDEL h b c new | EXISTS h | HSET h a | SET s 1 | HGET s a | HSET s a 1 | TYPE h`,
  keys: `
    MSET a 1 ab 2 b 3 | EXISTS a b none a | DEL a none | UNLINK b none | KEYS * | DBSIZE | TYPE ab | TYPE none
    MSET k:1 x k:2 y k:[3] z kx w | SCAN 0 MATCH k:? COUNT 1000 | SCAN 0 MATCH k:[12] COUNT 1000 | SCAN x
    SCAN 0 MATCH k:\\[*\\] COUNT 1000 | KEYS k* | KEYS k:[^1] | SADD set m | SCAN 0 TYPE set COUNT 1000
    SCAN 0 MATCH * TYPE | FLUSHDB | DBSIZE | GET | PING`,
  lists: `
    RPUSH l a b | LPUSH l c d | LRANGE l 0 -1 | LRANGE l 1 1 | LRANGE l -2 -1 | LRANGE l 5 9 | LLEN l
    LPOP l | RPOP l | LPOP none | RPUSH l x | LPOP l | LPOP l | LPOP l | EXISTS l | SET s 1 | LLEN s | LPUSH s a`,
  sets: `
    SADD s a b a | SADD s a c | SCARD s | SISMEMBER s a | SISMEMBER s z | SMEMBERS s | SREM s a z | SREM s b c
    EXISTS s | SMEMBERS none | SET t 1 | SADD t a | SCARD none`,
  "sorted sets": `
    ZADD z 1 a 2 b 1.5 c | ZADD z 3 a | ZADD z NX 9 a 4 d | ZADD z XX 9 e 5 d | ZADD z CH 6 d 7 f | ZCARD z
    ZADD z GT 1 f 8 d | ZADD z LT CH 1 f | ZSCORE z f | ZSCORE z none | ZSCORE none a | ZADD z 8 g 8 ga
    ZRANGE z 0 -1 | ZRANGE z 0 -1 WITHSCORES | ZRANGE z 0 1 REV | ZRANGE z -inf +inf BYSCORE LIMIT 1 2
    ZRANGE z (1 3 BYSCORE | ZRANGE z 3 (1 BYSCORE REV | ZRANGE z 0 -1 LIMIT 0 1 | ZCOUNT z 1 (3
    ZINCRBY z 0.5 a | ZINCRBY z 2 new | ZREM z a none | ZREMRANGEBYSCORE z -inf (8 | ZREMRANGEBYSCORE z x 1
    ZRANGE z 0 -1 | ZREM z d g ga | EXISTS z | ZADD z one a | ZADD z 1 | SET s 1 | ZADD s 1 a | ZRANGE none 0 -1`,
  strings: `
    GET none | SET a 1 | GET a | SET a 2 NX | SET a 2 XX | SET b 1 XX | SET b 1 NX | SET a 3 GET | SET c 3 GET
    SET a 4 XX GET | SET d 1 XX GET | SET a 5 NX GET | SET a 1 NX XX | SET a 1 WHAT | MGET a none b | GETDEL a
    GETDEL a | INCR n | INCRBY n 9 | DECR n | DECRBY n 4 | INCR n x | SET t text | INCR t | SET e _ | GET e
    MSET x 1 y | HSET h f 1 | GET h | MGET h b | SET h 1 | SET h 1 GET | GETDEL none | incr n`
}

const outcomes = Effect.fnUntraced(function* (redis: Redis["Service"], text: string) {
  const replies: Array<string> = []
  yield* redis.send("FLUSHDB")
  for (const line of text.split(/[|\n]/)) {
    const [command, ...args] = line.trim().split(/ +/)
    if (command === undefined || command === "") continue
    const reply = yield* redis.send(command, ...args.map((arg) => (arg === "_" ? "" : arg))).pipe(
      // The order of the members of sets and of keys is not defined.
      Effect.map((value) =>
        /^(KEYS|SCAN|SMEMBERS)$/.test(command) && Array.isArray(value)
          ? value.map((one) => (Array.isArray(one) ? one.toSorted() : one)).toSorted()
          : value
      ),
      Effect.map((value) => JSON.stringify(value)),
      // An error is a code and a message for people.
      Effect.catch(({ cause }) => Effect.succeed(/^\w+: ([A-Z]+)/.exec(String(cause))?.[1]))
    )
    replies.push(`${line.trim()} => ${reply}`)
  }
  return replies
})

const double = Effect.map(Layer.build(TestRedis.layer), Context.get(Redis))

describeRedis("The double replies as Redis does to commands for", () => {
  for (const [name, text] of Object.entries(groups)) {
    it.live(name, () =>
      Effect.gen(function* () {
        const { url } = yield* redisServer()
        const real = Context.get(yield* connect(settings({ url })), Redis)
        expect(yield* outcomes(yield* double, text)).toEqual(yield* outcomes(real, text))
      })
    )
  }
})

it.effect("keys of the double expire on the clock of the test", () =>
  Effect.gen(function* () {
    const redis = yield* double
    yield* redis.send("SET", "a", "1", "PX", "1500")
    yield* redis.send("SADD", "s", "1")
    yield* redis.send("EXPIRE", "s", "2")
    expect(yield* redis.send("PTTL", "a")).toBe(1500)
    yield* TestClock.adjust("1499 millis")
    expect(yield* redis.send("MGET", "a", "s")).toEqual(["1", null])
    yield* TestClock.adjust("1 millis")
    expect(yield* redis.send("EXISTS", "a", "s")).toBe(1)
    yield* TestClock.adjust("1 second")
    expect(yield* redis.send("KEYS", "*")).toEqual([])
  })
)
