/** The script of the store in Redis, against the store in memory. */
import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { Redis } from "flange/Redis"
import { MemoryStore } from "../../../src/Layers/RateLimit/MemoryStore.ts"
import { RedisStore } from "../../../src/Layers/RateLimit/RedisStore.ts"
import type { Rule, Take } from "../../../src/Layers/RateLimit/Rule.ts"
import { connect } from "../../../src/Layers/Redis/Connect.ts"
import { describeRedis, redisServer, settings } from "../Redis/server.ts"

const minute = 60_000

const bucket: Rule = {
  algorithm: "token-bucket",
  capacity: 8,
  cost: 1,
  limit: 6,
  // One token in an hour: a slow machine does not change the answers.
  windowMillis: 6 * 60 * minute
}

const sliding: Rule = { ...bucket, algorithm: "sliding-window", capacity: 6 }

const take = (rule: Rule, key = "ada", name = "orders"): Take => ({ key, name, rule })

const open = Effect.gen(function* () {
  const { url } = yield* redisServer()
  const redis = Context.get(yield* connect(settings({ url })), Redis)
  const keys = Effect.map(redis.send<Array<string>>("KEYS", "*"), (all) => all.toSorted())
  /** Makes all counts older: the clock of the server cannot be set. */
  const age = (millis: number) =>
    Effect.flatMap(keys, (all) =>
      Effect.forEach(all, (key) =>
        Effect.gen(function* () {
          const numbers = (yield* redis.send<string>("GET", key)).split(" ").map(Number)
          // A bucket is tokens and a time, a window pairs of a time and units.
          const isTime = (i: number) => (key.endsWith(":t") ? i === 1 : i % 2 === 0)
          const older = numbers.map((number, i) => (isTime(i) ? number - millis : number))
          yield* redis.send("SET", key, older.join(" "), "KEEPTTL")
        })
      )
    )
  return { age, keys, redis, store: new RedisStore(redis, "shop:") }
})

/** Numbers that look random and are the same each time. */
const random = (seed: number) => () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return seed / 2 ** 32
}

describeRedis("the store in Redis", () => {
  it.live(
    "decides like the store in memory",
    () =>
      Effect.gen(function* () {
        const { age, store } = yield* open
        const memory = new MemoryStore(1000)
        const began = Date.now()
        const next = random(11)
        let now = began
        for (let i = 0; i < 300; i++) {
          const passed = Math.floor(next() * 4) * 20 * minute
          now += passed
          if (passed > 0) yield* age(passed)
          const cost = 1 + Math.floor(next() * 3)
          const limit = 4 + Math.floor(next() * 3)
          const rules = [
            { ...bucket, capacity: limit + 2, cost },
            { ...sliding, capacity: limit, cost, limit }
          ]
          const takes = rules
            .filter(() => next() < 0.7)
            .map((rule) =>
              take(rule, `caller-${Math.floor(next() * 2)}`, `${rule.algorithm}-${limit}`)
            )
          if (takes.length === 0) continue
          const theirs = yield* store.take(takes)
          const ours = memory.takeNow(takes, now)
          // The clock of the server went on meanwhile.
          const elapsed = Date.now() - began + 2
          expect(theirs).toHaveLength(ours.length)
          for (const [index, { remaining, resetMillis, waitMillis }] of theirs.entries()) {
            const own = ours[index]!
            expect(remaining).toBe(own.remaining)
            expect(waitMillis > 0).toBe(own.waitMillis > 0)
            expect(Math.abs(own.resetMillis - resetMillis)).toBeLessThanOrEqual(elapsed)
            expect(Math.abs(own.waitMillis - waitMillis)).toBeLessThanOrEqual(elapsed)
          }
        }
      }),
    120_000
  )

  it.live("has a key for each limit and caller, without their text, that expires", () =>
    Effect.gen(function* () {
      const { keys, redis, store } = yield* open
      const callers = [
        "caller:default:ada",
        "caller:default:{ada}",
        "caller:default:}{ *?[a]\r\n\0",
        "caller:default:\ud800",
        "caller:default:\ud801",
        `caller:default:${"x".repeat(1_000_000)}`,
        `caller:default:${"x".repeat(1_000_001)}`
      ]
      for (const rule of [bucket, sliding]) {
        const none = { ...rule, capacity: 1, limit: 1 }
        for (const key of callers) {
          expect((yield* store.take([take(none, key)]))[0]).toMatchObject({ waitMillis: 0 })
          expect((yield* store.take([take(none, key)]))[0]?.waitMillis).toBeGreaterThan(0)
        }
      }
      const all = yield* keys
      expect(all).toHaveLength(2 * callers.length)
      for (const key of all) {
        expect(key).toMatch(/^shop:rate-limit:\{[A-Za-z0-9_-]{22}\}:orders:[tw]$/)
        const ttl = yield* redis.send<number>("PTTL", key)
        expect(ttl).toBeGreaterThan(0)
        expect(ttl).toBeLessThanOrEqual(sliding.windowMillis)
      }
    })
  )

  it.live("begins anew at a key that holds something else", () =>
    Effect.gen(function* () {
      const { keys, redis, store } = yield* open
      for (const rule of [bucket, sliding]) {
        yield* store.take([take(rule)])
        const [key] = yield* keys
        for (const [command, value] of [
          ["SET", ""],
          ["SET", "nan 1"],
          ["SET", "1 2 three"],
          ["RPUSH", "1"]
        ] as const) {
          yield* redis.send("DEL", key!)
          yield* redis.send(command, key!, value)
          const [taken] = yield* store.take([take(rule)])
          expect(taken).toMatchObject({ remaining: rule.capacity - 1, waitMillis: 0 })
        }
        yield* redis.send("DEL", key!)
      }
    })
  )

  it.live("lets nobody wait longer than a window after the clock was set back", () =>
    Effect.gen(function* () {
      const { age, keys, redis, store } = yield* open
      for (const rule of [bucket, sliding]) {
        for (let i = 0; i < rule.capacity; i++) yield* store.take([take(rule)])
        // The counts are of a day that has not come yet.
        yield* age(-24 * 60 * minute)
        const [refused] = yield* store.take([take(rule)])
        expect(refused!.waitMillis).toBeGreaterThan(0)
        expect(refused!.waitMillis).toBeLessThanOrEqual(rule.windowMillis)
        yield* age(rule.windowMillis)
        expect((yield* store.take([take(rule)]))[0]).toMatchObject({ waitMillis: 0 })
        yield* redis.send("DEL", ...(yield* keys))
      }
    })
  )

  it.live("keeps at most 65 times of a large window", () =>
    Effect.gen(function* () {
      const { age, keys, redis, store } = yield* open
      const rule = { ...sliding, capacity: 100_000, limit: 100_000 }
      for (let i = 0; i < 300; i++) {
        expect((yield* store.take([take({ ...rule, cost: 300 })]))[0]).toMatchObject({
          waitMillis: 0
        })
        if (i % 3 === 0) yield* age(rule.windowMillis / 64)
      }
      const [key] = yield* keys
      const text = yield* redis.send<string>("GET", key!)
      expect(text.split(" ").length / 2).toBeLessThanOrEqual(65)
    })
  )

  it.live("works with the largest limits and the longest window", () =>
    Effect.gen(function* () {
      const { store } = yield* open
      const most = Number.MAX_SAFE_INTEGER
      for (const rule of [bucket, sliding]) {
        const huge = {
          ...rule,
          capacity: most,
          cost: most,
          limit: most,
          windowMillis: 366 * 86_400_000
        }
        expect((yield* store.take([take(huge)]))[0]).toMatchObject({ remaining: 0, waitMillis: 0 })
        const [refused] = yield* store.take([take(huge)])
        expect(refused!.waitMillis).toBeGreaterThan(300 * 86_400_000)
      }
    })
  )
})
