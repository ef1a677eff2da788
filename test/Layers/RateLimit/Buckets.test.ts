import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { layerStoreMemory, RateLimiterStore } from "effect/persistence/RateLimiter"
import * as TestClock from "effect/testing/TestClock"
import * as RateLimit from "flange/RateLimit"
import { Buckets } from "../../../src/Layers/RateLimit/Buckets.ts"
import * as Key from "../../../src/Layers/RateLimit/Key.ts"

const one = { allowOverflow: false, limit: 10, refillMillis: 1000, tokens: 1 }

/** Numbers that look random and are the same each time. */
const random = (seed: number) => () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return seed / 2 ** 32
}

describe("buckets", () => {
  it("are never more than maxKeys, however many keys come", () => {
    const next = random(1)
    for (const [maxKeys, keys] of [
      [2, 1000],
      [3, 1000],
      [10_000, 1_000_000]
    ] as const) {
      const buckets = new Buckets(maxKeys)
      let most = 0
      for (let i = 0; i < keys; i++) {
        buckets.take({ ...one, key: String(next()), now: i })
        most = Math.max(most, buckets.size)
      }
      assert.isAtMost(most, maxKeys)
      assert.isAbove(most, maxKeys / 2 - 1)
    }
  })

  it("of callers that come again stay, whoever else comes", () => {
    const buckets = new Buckets(100)
    for (let i = 0; i < 10_000; i++) {
      buckets.take({ ...one, key: `other-${i}`, now: 0 })
      if (i % 40 === 0) buckets.take({ ...one, key: "ada", now: 0 })
    }
    assert.deepStrictEqual(buckets.take({ ...one, key: "ada", now: 0 }), [-1, 0])
  })

  it("of callers that are silent are forgotten, and full when they come back", () => {
    const buckets = new Buckets(100)
    for (let i = 0; i < 12; i++) buckets.take({ ...one, key: "ada", now: 0 })
    for (let i = 0; i < 100; i++) buckets.take({ ...one, key: `other-${i}`, now: 0 })
    assert.deepStrictEqual(buckets.take({ ...one, key: "ada", now: 0 }), [9, 0])
  })

  it("refill after the clock was set back", () => {
    const buckets = new Buckets(100)
    for (let i = 0; i < 10; i++) buckets.take({ ...one, key: "ada", now: 3_600_000 })
    assert.deepStrictEqual(buckets.take({ ...one, key: "ada", now: 0 }), [-1, 0])
    assert.deepStrictEqual(buckets.take({ ...one, key: "ada", now: 1500 }), [0, 500])
  })

  it.effect("give what Effect's own store in memory gives", () =>
    Effect.gen(function* () {
      const theirs = yield* RateLimiterStore
      const mine = RateLimit.memory({ maxKeys: 1000 })
      const next = random(7)
      for (let i = 0; i < 5000; i++) {
        const options = {
          allowOverflow: next() < 0.1,
          key: `key-${Math.floor(next() * 5)}`,
          limit: 7,
          refillRate: Duration.millis(400),
          tokens: next() < 0.8 ? 1 : 3
        }
        assert.deepStrictEqual(yield* mine.tokenBucket(options), yield* theirs.tokenBucket(options))
        yield* TestClock.adjust(Duration.millis(Math.floor(next() * 300)))
      }
    }).pipe(Effect.provide(layerStoreMemory))
  )
})

describe("keys", () => {
  it("are cut to 256 bytes, between characters", () => {
    assert.strictEqual(Key.caller("default", "ada"), "caller:default:ada")
    for (const character of ["a", "é", "語", "😀"]) {
      const key = Key.caller("default", character.repeat(1000))
      const bytes = Buffer.byteLength(key)
      assert.isAtMost(bytes, 256)
      assert.isAbove(bytes, 256 - Buffer.byteLength(character))
      assert.strictEqual(Buffer.from(key).toString(), key)
    }
  })

  it("of addresses are the address, or the network of an IPv6 customer", () => {
    assert.strictEqual(Key.address("203.0.113.7"), "ip:203.0.113.7")
    assert.strictEqual(Key.address("2001:db8:1:2:3:4:5:6"), "ip:2001:db8:1:2::/64")
    assert.strictEqual(Key.address(undefined), "ip:unknown")
  })
})
