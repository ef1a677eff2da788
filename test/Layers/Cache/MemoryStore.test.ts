import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { MemoryStore } from "../../../src/Layers/Cache/MemoryStore.ts"
import { usedMemory } from "../../usedMemory.ts"

const id = "0123456789abcdef"

const clock = Clock.Clock.defaultValue()

const fill = (budget: number, character: string) => {
  const before = usedMemory()
  const store = new MemoryStore(budget)
  for (let i = 0; i < 30_000; i++) {
    const value = `${id}${JSON.stringify([i, character.repeat(1 + (i % 1000))])}`
    store.write(`app:entry/products/${i}`, { ttl: 60_000, value }, clock)
  }
  const grown = usedMemory() - before
  return { counted: store.bytes, evictions: store.usage.get("products")?.evictions, grown }
}

describe("the memory of a cache", () => {
  // `bench/cacheBudget.ts` measures it after a million inserts.
  it.each(["a", "é", "я", "字", "😀"])("stays in its budget with texts of %s", (character) => {
    const budget = 8 * 2 ** 20
    const { counted, evictions, grown } = fill(budget, character)
    expect(counted).toBeLessThanOrEqual(budget)
    expect(counted).toBeGreaterThan(budget * 0.99)
    expect(evictions).toBeGreaterThan(0)
    // The test runner uses memory too.
    expect(grown).toBeLessThan(budget * 1.5)
  })

  it("callers who choose the names of caches do not fill the memory with numbers", () => {
    const store = new MemoryStore(2 ** 20)
    for (let i = 0; i < 10_000; i++) {
      store.write(`app:entry/name${i}/7`, { ttl: 1000, value: id }, clock)
    }
    expect(store.usage.size).toBeLessThan(200)
    let bytes = 0
    for (const usage of store.usage.values()) bytes += usage.bytes
    expect(bytes).toBe(store.bytes)
    store.clear()
    expect(store.usage.get("")!.bytes).toBe(0)
  })

  it("a record that is written again counts once", () => {
    const store = new MemoryStore(2 ** 20)
    for (const value of [id, id, `${id}[]`, id, id]) {
      store.write("app:prefix/products", { ttl: 1000, value }, clock)
      expect(store.usage.get("")!.bytes).toBe(store.bytes)
    }
    const whole = { ttl: 1000, value: id + "x".repeat(2 ** 20) }
    store.write("app:prefix/products", whole, clock)
    expect([store.usage.get("")!.bytes, store.bytes]).toEqual([0, 0])
  })

  it.effect("a record that is larger than the budget is not kept", () =>
    Effect.gen(function* () {
      const store = new MemoryStore(2 ** 20)
      yield* store.set([{ key: "app:entry/a", ttl: 1000, value: id + "x".repeat(2 ** 20) }])
      expect(yield* store.get(["app:entry/a"])).toEqual([undefined])
      expect(store.bytes).toBe(0)
    })
  )

  it.effect("a record expires by the clock of the fiber", () =>
    Effect.gen(function* () {
      const store = new MemoryStore(2 ** 20)
      yield* store.set([{ key: "app:entry/a", ttl: 1000, value: id }])
      yield* TestClock.adjust(999)
      expect(yield* store.get(["app:entry/a"])).toEqual([id])
      yield* TestClock.adjust(2)
      expect(yield* store.get(["app:entry/a"])).toEqual([undefined])
    })
  )

  it.effect("a record ends in its time although the clock of the machine was set back", () =>
    Effect.gen(function* () {
      const live = yield* Clock.Clock
      const store = new MemoryStore(2 ** 20)
      let wall = 1e12
      let monotonic = 0n
      const stepped: Clock.Clock = {
        ...live,
        currentTimeMillisUnsafe: () => wall,
        monotonicTimeNanosUnsafe: () => monotonic
      }
      const item = { key: "app:entry/products/1", ttl: 1000, value: id }
      yield* Effect.provideService(store.set([item]), Clock.Clock, stepped)
      wall -= 3_600_000
      monotonic = 999_000_000n
      expect(store.peek([item.key])).toEqual([id])
      monotonic = 1_001_000_000n
      expect(store.peek([item.key])).toEqual([undefined])
      expect(yield* Effect.provideService(store.get([item.key]), Clock.Clock, stepped)).toEqual([
        undefined
      ])
    })
  )
})
