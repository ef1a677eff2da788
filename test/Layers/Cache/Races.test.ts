import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as TestClock from "effect/testing/TestClock"
import { CacheKey, CacheStoreError, ObjectCache, type Store } from "flange/Cache"
import { TestCache } from "flange/Cache/Testing"
import * as Broadcast from "../../../src/Layers/Cache/Broadcast.ts"
import { MemoryStore } from "../../../src/Layers/Cache/MemoryStore.ts"
import { TieredStore } from "../../../src/Layers/Cache/TieredStore.ts"
import type { Delivery } from "../../../src/Plugin/SharedRedis.ts"

const text = { schema: Schema.String }

const key = CacheKey.of("products", 7)

const quiet = Logger.layer([])

const record = "0123456789abcdef[]"

describe("a copy in memory", () => {
  it.effect("is not left of a value that was read while it was being removed", () =>
    Effect.gen(function* () {
      const shared = new MemoryStore(2 ** 20)
      const began = yield* Deferred.make<void>()
      const release = yield* Deferred.make<void>()
      const store = new TieredStore(shared, new MemoryStore(2 ** 20), 10_000, {
        announce: () => Effect.void,
        // As a script that Redis has to load first.
        delete: (keys) =>
          Deferred.succeed(began, undefined).pipe(
            Effect.andThen(Deferred.await(release)),
            Effect.andThen(shared.delete(keys))
          ),
        listen: () => Effect.never
      })
      yield* shared.set([{ key: "a", ttl: 10_000, value: record }])
      const removing = yield* Effect.forkChild(store.delete(["a"]))
      yield* Deferred.await(began)
      expect(yield* store.get(["a"])).toEqual([record])
      yield* Deferred.succeed(release, undefined)
      yield* Fiber.join(removing)
      expect(store.peek!(["a"])).toEqual([undefined])
    })
  )
})

it.effect("copies from before the subscription are forgotten", () =>
  Effect.gen(function* () {
    const confirmed = yield* Deferred.make<void>()
    const queue = yield* Queue.unbounded<Delivery>()
    const redis = { send: () => Effect.never, subscribe: () => Effect.never }
    const broadcast = Broadcast.make(
      {
        redis: { ...redis, eval: () => () => Effect.never, reserve: Effect.never },
        shared: { prefix: "shop:", subscribe: () => Effect.as(Deferred.await(confirmed), queue) }
      },
      "shop"
    )
    let times = 0
    yield* Effect.forkScoped(
      broadcast.listen({ forget: () => {}, forgetAll: () => void times++ }),
      { startImmediately: true }
    )
    expect(times).toBe(0)
    yield* Deferred.succeed(confirmed, undefined)
    yield* Effect.yieldNow
    expect(times).toBe(1)
  })
)

/** A store in memory with some operations replaced. */
const storeWith = (changed: (memory: Store) => Partial<Store>) => {
  const memory = TestCache.store()
  return { ...memory, backend: "changed", peek: undefined, ...changed(memory) } as Store
}

const layerOf = (store: Store) => Layer.merge(TestCache.layer({ store }), quiet)

describe("an invalidation", () => {
  it.effect("that is interrupted while the backend does not answer is sent later", () => {
    let isFrozen = false
    const store = storeWith((memory) => ({
      delete: (keys) => (isFrozen ? Effect.never : memory.delete(keys))
    }))
    return Effect.gen(function* () {
      const cache = yield* ObjectCache
      yield* cache.set(key, "old", text)
      isFrozen = true
      const fiber = yield* Effect.forkChild(cache.invalidate(key), { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      isFrozen = false
      expect(yield* cache.get(key, text)).toEqual(Option.none())
      yield* TestClock.adjust("2 seconds")
      expect(yield* store.get(["test:entry/products/7"])).toEqual([undefined])
    }).pipe(Effect.provide(layerOf(store)))
  })

  it.effect("is sent later also while other operations of the backend go on failing", () => {
    let isFull = false
    const store = storeWith((memory) => ({
      ensure: (claims, id) =>
        isFull
          ? Effect.fail(new CacheStoreError({ cause: "no memory left", operation: "ensure" }))
          : memory.ensure(claims, id)
    }))
    return Effect.gen(function* () {
      const cache = yield* ObjectCache
      yield* cache.set(key, "old", text)
      isFull = true
      const write = cache.set(CacheKey.of("names", 1), "Ada", text)
      yield* Effect.forkChild(Effect.forever(Effect.andThen(write, Effect.sleep(1))))
      // The backend is left alone now, and again whenever the invalidation is tried.
      yield* TestClock.adjust(500)
      yield* cache.invalidate(key)
      yield* TestClock.adjust("10 seconds")
      expect(yield* store.get(["test:entry/products/7"])).toEqual([undefined])
    }).pipe(Effect.provide(layerOf(store)))
  })
})

it.effect("a backend that is left alone is used again if the clock is set back", () => {
  let isAway = false
  const store = storeWith((memory) => ({
    get: (keys) =>
      isAway
        ? Effect.fail(new CacheStoreError({ cause: "no", operation: "get" }))
        : memory.get(keys)
  }))
  return Effect.gen(function* () {
    const cache = yield* ObjectCache
    yield* TestClock.setTime(3_600_000)
    yield* cache.set(key, "value", text)
    isAway = true
    expect(yield* cache.get(key, text)).toEqual(Option.none())
    isAway = false
    yield* TestClock.setTime(3_500_000)
    expect(yield* cache.get(key, text)).toEqual(Option.some("value"))
  }).pipe(Effect.provide(layerOf(store)))
})

it.effect(
  "a backend that is left alone is tried by the next operation after an interrupted one",
  () => {
    let state: "away" | "frozen" | "up" = "away"
    const store = storeWith((memory) => ({
      get: (keys) =>
        state === "up"
          ? memory.get(keys)
          : state === "frozen"
            ? Effect.never
            : Effect.fail(new CacheStoreError({ cause: "no", operation: "get" }))
    }))
    return Effect.gen(function* () {
      const cache = yield* ObjectCache
      yield* cache.set(key, "value", text)
      expect(yield* cache.get(key, text)).toEqual(Option.none())
      state = "frozen"
      yield* TestClock.adjust("1 second")
      const fiber = yield* Effect.forkChild(cache.get(key, text), { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      state = "up"
      expect(yield* cache.get(key, text)).toEqual(Option.some("value"))
    }).pipe(Effect.provide(layerOf(store)))
  }
)

describe("a stored value", () => {
  it.effect("whose schema throws is a miss", () =>
    Effect.gen(function* () {
      const cache = yield* ObjectCache
      let isBroken = false
      const schema = Schema.String.pipe(
        Schema.decodeTo(
          Schema.String,
          SchemaTransformation.transform({
            decode: (value) => {
              if (isBroken) throw new Error("of another release")
              return value
            },
            encode: (value) => value
          })
        )
      )
      yield* cache.set(key, "old", { schema })
      expect(yield* cache.get(key, { schema })).toEqual(Option.some("old"))
      isBroken = true
      expect(yield* cache.get(key, { schema })).toEqual(Option.none())
      expect(yield* cache.getOrLoad(key, { schema }, Effect.succeed("new"))).toBe("new")
      expect((yield* cache.stats).caches["products"]?.undecodable).toBe(2)
    }).pipe(Effect.provide(TestCache.layer()))
  )
})

it.effect.each([
  ["", [["x".repeat(300)]], 0, "value"],
  ["", [{}, null, 7], 0, "value"],
  [null, [], 0, "value"],
  ["", [], 0, { __proto__: [] }]
])("a record with %j in it is a miss", (rest) => {
  const store = storeWith(() => ({}))
  const value = `0123456789abcdef${JSON.stringify([9e12, 9e12, 9e12, ...rest])}`
  return Effect.gen(function* () {
    yield* store.set([{ key: "test:entry/products", ttl: 60_000, value }])
    const cache = yield* ObjectCache
    expect(yield* cache.get(CacheKey.of("products"), text)).toEqual(Option.none())
  }).pipe(Effect.provide(layerOf(store)))
})

it.effect("a store that throws fails no request", () => {
  const store = storeWith(() => ({
    get: () => {
      throw new RangeError("Maximum call stack size exceeded")
    }
  }))
  return Effect.gen(function* () {
    const cache = yield* ObjectCache
    expect(yield* cache.getOrLoad(key, text, Effect.succeed("value"))).toBe("value")
  }).pipe(Effect.provide(layerOf(store)))
})

describe("a lock", () => {
  it.effect("is released if its caller is interrupted while it is taken", () => {
    const memory = TestCache.store()
    let isSlow = true
    const store = storeWith(() => ({
      ...memory,
      backend: "slow",
      peek: undefined,
      // The backend has carried it out, and its answer is on the way.
      replace: (one, expected, next) =>
        Effect.tap(memory.replace(one, expected, next), () => (isSlow ? Effect.never : Effect.void))
    }))
    return Effect.gen(function* () {
      const cache = yield* ObjectCache
      const options = { ...text, lock: true }
      const load = cache.getOrLoad(key, options, Effect.succeed("value"))
      const first = yield* Effect.forkChild(load, { startImmediately: true })
      yield* Fiber.interrupt(first)
      isSlow = false
      const began = yield* Clock.currentTimeMillis
      const second = yield* Effect.forkChild(Effect.andThen(load, Clock.currentTimeMillis))
      yield* TestClock.adjust("1 minute")
      expect((yield* Fiber.join(second)) - began).toBeLessThan(1000)
    }).pipe(Effect.provide(layerOf(store)))
  })
})

describe("a load in background", () => {
  it.effect("that does not end is given up after five minutes, and the next one starts", () =>
    Effect.gen(function* () {
      const cache = yield* ObjectCache
      const options = { ...text, staleWhileRevalidate: "1 hour", ttl: "1 minute" } as const
      yield* cache.getOrLoad(key, options, Effect.succeed("old"))
      yield* TestClock.adjust("2 minutes")
      let isInterrupted = false
      const endless = Effect.onInterrupt(Effect.never, () =>
        Effect.sync(() => void (isInterrupted = true))
      )
      expect(yield* cache.getOrLoad(key, options, endless)).toBe("old")
      yield* TestClock.adjust("6 minutes")
      expect(isInterrupted).toBe(true)
      expect(yield* cache.getOrLoad(key, options, Effect.succeed("new"))).toBe("old")
      yield* TestClock.adjust(1)
      expect(yield* cache.getOrLoad(key, options, Effect.succeed("newer"))).toBe("new")
    }).pipe(Effect.provide(Layer.merge(TestCache.layer(), quiet)))
  )
})

it.effect("a failed load whose old value is returned is logged once a minute", () => {
  const logs: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => void logs.push(`${logLevel} ${message}`))
  return Effect.gen(function* () {
    const cache = yield* ObjectCache
    const options = { ...text, staleIfError: "1 hour", ttl: "1 minute" } as const
    yield* cache.getOrLoad(key, options, Effect.succeed("old"))
    yield* TestClock.adjust("2 minutes")
    for (let i = 0; i < 3; i++) {
      expect(yield* cache.getOrLoad(key, options, Effect.die("broken"))).toBe("old")
    }
    expect(logs).toEqual([
      'Warn A value of the cache "products" could not be loaded again, and the old one is used'
    ])
  }).pipe(Effect.provide(Layer.merge(TestCache.layer(), Logger.layer([logger]))))
})

describe("loads that need each other", () => {
  it.effect("die in place of waiting for ever, also if two callers began them", () =>
    Effect.gen(function* () {
      const cache = yield* ObjectCache
      const both = yield* Deferred.make<void>()
      let began = 0
      const value = (id: number): Effect.Effect<string> =>
        cache.getOrLoad(
          CacheKey.of("products", id),
          text,
          Effect.gen(function* () {
            if (++began === 2) yield* Deferred.succeed(both, undefined)
            yield* Deferred.await(both)
            return yield* value(id === 1 ? 2 : 1)
          })
        )
      const exits = yield* Effect.forEach([1, 2], (id) => Effect.exit(value(id)), {
        concurrency: "unbounded"
      })
      for (const exit of exits) expect(String(exit)).toContain("would wait for itself")
      expect(yield* cache.getOrLoad(key, text, Effect.succeed("other"))).toBe("other")
    }).pipe(Effect.provide(TestCache.layer()))
  )
})
