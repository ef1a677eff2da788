import { assert, describe, it } from "@effect/vitest"
import * as Key from "../../../src/Layers/RateLimit/Key.ts"
import { MemoryStore } from "../../../src/Layers/RateLimit/MemoryStore.ts"
import type { Rule, Take } from "../../../src/Layers/RateLimit/Rule.ts"

const bucket: Rule = {
  algorithm: "token-bucket",
  capacity: 10,
  cost: 1,
  limit: 10,
  windowMillis: 10_000
}

const sliding: Rule = { ...bucket, algorithm: "sliding-window" }

const rules = { bucket, sliding }

const takeOf = (rule: Rule, key = "ada", name = "orders"): Take => ({ key, name, rule })

/** Numbers that look random and are the same each time. */
const random = (seed: number) => () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return seed / 2 ** 32
}

/** Whether one request passes. */
const passes = (store: MemoryStore, rule: Rule, now: number, key = "ada"): boolean =>
  store.takeNow([takeOf(rule, key)], now)[0]!.waitMillis === 0

describe.each(Object.entries(rules))("counts in memory by %s", (_, rule) => {
  it("are never more than maxKeys, however many keys come", () => {
    const next = random(1)
    for (const [maxKeys, keys] of [
      [2, 1000],
      [3, 1000],
      [10_000, 200_000]
    ] as const) {
      const store = new MemoryStore(maxKeys)
      let most = 0
      for (let i = 0; i < keys; i++) {
        store.takeNow([takeOf(rule, String(next()))], i)
        most = Math.max(most, store.size)
      }
      assert.isAtMost(most, maxKeys)
      assert.isAbove(most, maxKeys / 2 - 1)
    }
  })

  it("of callers that come again stay, whoever else comes", () => {
    const store = new MemoryStore(100)
    for (let i = 0; i < 10_000; i++) {
      passes(store, rule, 0, `other-${i}`)
      if (i % 40 === 0) passes(store, rule, 0)
    }
    assert.isFalse(passes(store, rule, 0))
  })

  it("of callers that are silent are forgotten", () => {
    const store = new MemoryStore(100)
    for (let i = 0; i < 12; i++) passes(store, rule, 0)
    assert.isFalse(passes(store, rule, 0))
    for (let i = 0; i < 100; i++) passes(store, rule, 0, `other-${i}`)
    assert.isTrue(passes(store, rule, 0))
  })

  it("let a caller in again after the clock was set back, and not at once", () => {
    const store = new MemoryStore(100)
    for (let i = 0; i < 10; i++) assert.isTrue(passes(store, rule, 3_600_000))
    assert.isFalse(passes(store, rule, 0))
    assert.isFalse(passes(store, rule, 900))
    assert.isTrue(passes(store, rule, 10_000))
  })

  it("take nothing for a request that waits, and tell the time until it passes", () => {
    const store = new MemoryStore(100)
    const large = { ...rule, cost: 7 }
    assert.isTrue(passes(store, large, 0))
    const [taken] = store.takeNow([takeOf(large)], 500)
    assert.strictEqual(taken!.remaining, 3)
    const free = 500 + taken!.waitMillis
    assert.isFalse(passes(store, large, free - 1))
    assert.isTrue(passes(store, large, free))
  })

  it("take from all limits of a request or from none", () => {
    const store = new MemoryStore(100)
    const small = { ...rule, capacity: 2, limit: 2 }
    const both = [takeOf(rule), takeOf(small, "acme", "tenant")]
    const remaining = () => store.takeNow(both, 0).map((taken) => taken.remaining)
    assert.deepStrictEqual(
      [remaining(), remaining(), remaining(), remaining()],
      [
        [9, 1],
        [8, 0],
        [8, 0],
        [8, 0]
      ]
    )
  })

  it("follow a limit that was lowered or raised", () => {
    const store = new MemoryStore(100)
    for (let i = 0; i < 7; i++) passes(store, rule, 0)
    const at = (limit: number, now: number) =>
      store.takeNow([takeOf({ ...rule, capacity: limit, cost: limit, limit })], now)[0]!
    // A bucket has three tokens left, and a window has no place for three.
    assert.isAtMost(at(4, 0).remaining, 3)
    assert.isAbove(at(4, 0).waitMillis, 0)
    assert.isAbove(at(1000, 1).waitMillis, 0)
    assert.strictEqual(at(1000, 10_000).waitMillis, 0)
  })

  it("work with the largest limits and the longest window", () => {
    const store = new MemoryStore(100)
    const most = Number.MAX_SAFE_INTEGER
    const huge = {
      ...rule,
      capacity: most,
      cost: most,
      limit: most,
      windowMillis: 366 * 86_400_000
    }
    assert.isTrue(passes(store, huge, 1.8e12))
    const [taken] = store.takeNow([takeOf(huge)], 1.8e12)
    assert.strictEqual(taken!.remaining, 0)
    assert.isAbove(taken!.waitMillis, 365 * 86_400_000)
  })
})

describe("a sliding window", () => {
  it("has at most the limit in any time of its length, and remembers 65 times at most", () => {
    const next = random(3)
    for (const limit of [1, 7, 64, 65, 500]) {
      const rule: Rule = { ...sliding, capacity: limit, limit, windowMillis: 1000 }
      const store = new MemoryStore(10)
      const times: Array<number> = []
      let now = 1_000_000
      for (let i = 0; i < 20_000; i++) {
        now += Math.floor(next() * (2000 / limit))
        if (passes(store, rule, now)) times.push(now)
      }
      for (let i = limit; i < times.length; i++) {
        assert.isAtLeast(times[i]! - times[i - limit]!, 1000)
      }
      // It is not stricter than a part of the window.
      assert.isAbove(times.length, ((now - 1_000_000) / 1000) * limit * 0.4)
    }
  })

  it("of a small limit is exact", () => {
    const store = new MemoryStore(10)
    const rule: Rule = { ...sliding, capacity: 2, limit: 2, windowMillis: 1000 }
    const at = (now: number) => store.takeNow([takeOf(rule)], now)[0]
    assert.deepStrictEqual(at(0), { remaining: 1, resetMillis: 1000, waitMillis: 0 })
    assert.deepStrictEqual(at(400), { remaining: 0, resetMillis: 600, waitMillis: 0 })
    assert.deepStrictEqual(at(999), { remaining: 0, resetMillis: 1, waitMillis: 1 })
    assert.deepStrictEqual(at(1000), { remaining: 0, resetMillis: 400, waitMillis: 0 })
    assert.deepStrictEqual(at(1399), { remaining: 0, resetMillis: 1, waitMillis: 1 })
    assert.deepStrictEqual(at(1400), { remaining: 0, resetMillis: 600, waitMillis: 0 })
  })
})

describe("a token bucket", () => {
  it("gives the burst at once and then one after each part of the window", () => {
    const store = new MemoryStore(10)
    const rule: Rule = { ...bucket, capacity: 3, limit: 2, windowMillis: 1000 }
    const at = (now: number) => store.takeNow([takeOf(rule)], now)[0]
    assert.deepStrictEqual(at(0), { remaining: 2, resetMillis: 500, waitMillis: 0 })
    at(0)
    assert.deepStrictEqual(at(0), { remaining: 0, resetMillis: 500, waitMillis: 0 })
    assert.deepStrictEqual(at(499), { remaining: 0, resetMillis: 1, waitMillis: 1 })
    assert.deepStrictEqual(at(500), { remaining: 0, resetMillis: 500, waitMillis: 0 })
  })

  it("never has more than limit in a window after its burst", () => {
    const next = random(5)
    for (const limit of [1, 3, 49, 600]) {
      const rule: Rule = { ...bucket, capacity: limit, limit, windowMillis: 1000 }
      const store = new MemoryStore(10)
      let now = 0
      let count = 0
      for (let i = 0; i < 20_000; i++) {
        now += Math.floor(next() * 3)
        if (passes(store, rule, now)) count++
      }
      const due = limit + (now * limit) / 1000
      assert.isAtMost(count, Math.floor(due + 1e-6))
      assert.isAtLeast(count, Math.min(Math.floor(due) - 1, 19_000))
    }
  })
})

describe("keys", () => {
  it("are 128 units at most, and of different callers they are different", () => {
    assert.strictEqual(Key.caller("default", "ada"), "caller:default:ada")
    const subjects = ["a", "é", "語", "😀", "\ud800", "\ud801"].flatMap((character) => [
      character.repeat(100_000),
      `${character.repeat(100_000)}x`,
      character
    ])
    const keys = subjects.map((subject) => Key.caller("default", subject))
    assert.strictEqual(new Set(keys).size, subjects.length)
    for (const key of keys) assert.isAtMost(key.length, 128)
  })

  it("of addresses are the address, or the network of an IPv6 customer", () => {
    for (const [address, key] of [
      ["203.0.113.7", "ip:203.0.113.7"],
      ["2001:db8:1:2:3:4:5:6", "ip:2001:db8:1:2::/64"],
      ["::ffff:203.0.113.7", "ip:203.0.113.7"],
      ["64:ff9b::203.0.113.7", "ip:203.0.113.7"],
      ["64:ff9b::cb00:7108", "ip:203.0.113.8"],
      // The prefix has 96 bits, and another prefix embeds no address that is known.
      ["64:ff9b:0:0:1::cb00:7108", "ip:64:ff9b::/64"],
      ["64:ff9b:1::cb00:7108", "ip:64:ff9b:1::/64"],
      [undefined, "ip:unknown"]
    ] as const) {
      assert.strictEqual(Key.address(address), key)
    }
  })

  it("of extractors cannot have the name of others", () => {
    for (const name of ["address", "caller", "ip", "", "Tenant", "a:b", "1a"]) {
      assert.throws(() => Key.key(name, undefined as never), "cannot have this name")
    }
  })
})
