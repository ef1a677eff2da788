import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { CacheKey, CacheStoreError, ObjectCache, type Store } from "flange/Cache"
import { TestCache } from "flange/Cache/Testing"

const text = { schema: Schema.String }

const key = CacheKey.of("products", 7)

/** `TestCache` waits as long for a store that is not in memory. */
const timeout = 1000

/** A store that answers `count` operations, and then no more until `thaw`. */
const freezing = (count: number) => {
  const store = TestCache.store()
  let left = count
  const turn = <A>(operation: Effect.Effect<A, CacheStoreError>) =>
    Effect.suspend(() => (left-- > 0 ? operation : Effect.never))
  const frozen: Store = {
    backend: "freezing",
    delete: (keys) => turn(store.delete(keys)),
    ensure: (claims, id) => turn(store.ensure(claims, id)),
    get: (keys) => turn(store.get(keys)),
    peek: undefined,
    replace: (one, expected, next) => turn(store.replace(one, expected, next)),
    set: (items) => turn(store.set(items))
  }
  return { store: frozen, thaw: () => void (left = Infinity) }
}

const layerOf = (store: Store) => Layer.mergeAll(TestCache.layer({ store }), Logger.layer([]))

/** Returns the milliseconds of the test clock until an effect ends, and what it returns. */
const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const begin = yield* Clock.currentTimeMillis
    const fiber = yield* Effect.forkChild(
      Effect.flatMap(effect, (value) =>
        Effect.map(Clock.currentTimeMillis, (end) => [end - begin, value] as const)
      ),
      { startImmediately: true }
    )
    while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust(50)
    return yield* Fiber.join(fiber)
  })

const load = Effect.as(Effect.sleep(5000), "value")

describe("a backend that does not answer", () => {
  for (const lock of [false, true]) {
    it.effect.each([0, 1, 2, 3, 4, 5, 6])(
      `costs a request at most one timeout, from its operation %i on, with lock = ${lock}`,
      (count) =>
        Effect.gen(function* () {
          const cache = yield* ObjectCache
          const [time, value] = yield* timed(cache.getOrLoad(key, { ...text, lock }, load))
          expect(value).toBe("value")
          expect(time).toBeLessThanOrEqual(5000 + timeout)
        }).pipe(Effect.provide(layerOf(freezing(count).store)))
    )
  }

  it.effect("costs the requests of the next second nothing, and is then tried by one of them", () =>
    Effect.gen(function* () {
      const cache = yield* ObjectCache
      const read = Effect.map(cache.get(key, text), Option.isNone)
      expect(yield* timed(read)).toEqual([timeout, true])
      expect(yield* timed(read)).toEqual([0, true])
      yield* TestClock.adjust(1000)
      const [, all] = yield* timed(
        Effect.replicateEffect(Effect.timed(read), 3, { concurrency: "unbounded" })
      )
      expect(all.map(([time]) => Duration.toMillis(time))).toEqual([timeout, 0, 0])
    }).pipe(Effect.provide(layerOf(freezing(0).store)))
  )

  it.effect("gets the invalidation later, and its old value is not used until then", () => {
    const { store, thaw } = freezing(2)
    return Effect.gen(function* () {
      const cache = yield* ObjectCache
      yield* cache.set(CacheKey.of("products"), "old", text)
      expect(yield* cache.get(CacheKey.of("products"), text)).toEqual(Option.some("old"))
      const [time] = yield* timed(cache.invalidate(CacheKey.of("products")))
      expect(time).toBe(timeout)
      thaw()
      yield* TestClock.adjust(500)
      expect(yield* cache.get(CacheKey.of("products"), text)).toEqual(Option.none())
      yield* TestClock.adjust(5000)
      expect(yield* store.get(["test:entry/products"])).toEqual([undefined])
    }).pipe(Effect.provide(layerOf(store)))
  })
})

it.effect("a backend that fails is warned of once a minute, and each failure is counted", () => {
  const logs: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => void logs.push(`${logLevel} ${message}`))
  const memory = TestCache.store()
  let isBroken = true
  const broken: Store = {
    ...memory,
    backend: "broken",
    get: (keys) =>
      isBroken
        ? Effect.fail(new CacheStoreError({ cause: "no", operation: "get" }))
        : memory.get(keys),
    peek: undefined
  }
  return Effect.gen(function* () {
    const cache = yield* ObjectCache
    for (let second = 0; second < 90; second++) {
      yield* cache.get(key, text)
      yield* TestClock.adjust(1000)
    }
    const warning =
      "Warn The backend of the cache does not work, and requests go on without it: broken"
    expect(logs).toEqual([warning, warning])
    expect((yield* cache.stats).errors).toBe(90)
    isBroken = false
    yield* cache.get(key, text)
    yield* cache.get(key, text)
    expect(logs.slice(2)).toEqual(["Info The backend of the cache answers again: broken"])
  }).pipe(
    Effect.provide(Layer.mergeAll(TestCache.layer({ store: broken }), Logger.layer([logger])))
  )
})
