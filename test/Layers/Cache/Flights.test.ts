import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { CacheKey, ObjectCache } from "flange/Cache"
import { TestCache } from "flange/Cache/Testing"

const text = { schema: Schema.String }

const key = CacheKey.of("products", 7)

/** A load that waits for `release`, and records what happens to it. */
const slow = Effect.gen(function* () {
  const began = yield* Deferred.make<void>()
  const release = yield* Deferred.make<void>()
  const events: Array<string> = []
  const load = Effect.gen(function* () {
    events.push("began")
    yield* Deferred.succeed(began, undefined)
    yield* Deferred.await(release)
    events.push("ended")
    return "value"
  }).pipe(Effect.onInterrupt(() => Effect.sync(() => void events.push("interrupted"))))
  return { began, events, load, release }
})

describe("callers that miss the same key", () => {
  it.effect("the interruption of one, also of the first, leaves the load to the others", () =>
    Effect.gen(function* () {
      const cache = yield* ObjectCache
      const { began, events, load, release } = yield* slow
      const [first, second, third] = yield* Effect.replicateEffect(
        Effect.forkChild(cache.getOrLoad(key, text, load)),
        3
      )
      yield* Deferred.await(began)
      yield* Effect.yieldNow
      yield* Fiber.interrupt(first!)
      yield* Fiber.interrupt(third!)
      yield* Deferred.succeed(release, undefined)
      expect(yield* Fiber.join(second!)).toBe("value")
      expect(events).toEqual(["began", "ended"])
    }).pipe(Effect.provide(TestCache.layer()))
  )

  it.effect("the interruption of all interrupts the load and frees the key", () =>
    Effect.gen(function* () {
      const cache = yield* ObjectCache
      const { began, events, load } = yield* slow
      const callers = yield* Effect.replicateEffect(
        Effect.forkChild(cache.getOrLoad(key, text, load)),
        3
      )
      yield* Deferred.await(began)
      yield* Effect.yieldNow
      yield* Fiber.interruptAll(callers)
      expect(events).toEqual(["began", "interrupted"])
      expect(yield* cache.getOrLoad(key, text, Effect.succeed("new"))).toBe("new")
    }).pipe(Effect.provide(TestCache.layer()))
  )

  it.effect("all get the defect of a load, which frees the key", () =>
    Effect.gen(function* () {
      const cache = yield* ObjectCache
      const { began, load, release } = yield* slow
      const callers = yield* Effect.replicateEffect(
        Effect.forkChild(cache.getOrLoad(key, text, Effect.andThen(load, Effect.die("boom")))),
        3
      )
      yield* Deferred.await(began)
      yield* Deferred.succeed(release, undefined)
      const exits = yield* Effect.forEach(callers, Fiber.await)
      expect(exits).toEqual([Exit.die("boom"), Exit.die("boom"), Exit.die("boom")])
      expect(yield* cache.getOrLoad(key, text, Effect.succeed("new"))).toBe("new")
    }).pipe(Effect.provide(TestCache.layer()))
  )

  it.effect("a load whose services ended with its first caller runs again for the others", () =>
    Effect.gen(function* () {
      class Session extends Context.Service<Session, { isOpen: boolean; readonly name: string }>()(
        "test/Session"
      ) {}
      const cache = yield* ObjectCache
      const began = yield* Deferred.make<void>()
      const release = yield* Deferred.make<void>()
      const load = Effect.gen(function* () {
        const session = yield* Session
        yield* Deferred.succeed(began, undefined)
        yield* Deferred.await(release)
        return session.isOpen ? session.name : yield* Effect.die("the session has ended")
      })
      const call = (session: Session["Service"]) =>
        Effect.forkChild(Effect.provideService(cache.getOrLoad(key, text, load), Session, session))
      const session = { isOpen: true, name: "first" }
      const first = yield* call(session)
      yield* Deferred.await(began)
      const second = yield* call({ isOpen: true, name: "second" })
      yield* Effect.yieldNow
      yield* Fiber.interrupt(first)
      session.isOpen = false
      yield* Deferred.succeed(release, undefined)
      expect(yield* Fiber.join(second)).toBe("second")
    }).pipe(Effect.provide(TestCache.layer()))
  )

  it.effect("a load that asks for its own value dies, and does not wait for itself", () =>
    Effect.gen(function* () {
      const cache = yield* ObjectCache
      const inner = cache.getOrLoad(
        CacheKey.of("prices", 7),
        text,
        Effect.suspend(() => outer)
      )
      const outer: Effect.Effect<string> = cache.getOrLoad(key, text, inner)
      const exit = yield* Effect.exit(outer)
      expect(String(exit)).toContain("products/7 asks the cache for the same value")
    }).pipe(Effect.provide(TestCache.layer()))
  )

  it.effect("loads that share many others in thirty layers end", () =>
    Effect.gen(function* () {
      const cache = yield* ObjectCache
      const { began, load, release } = yield* slow
      const node = (layer: number, i: number): Effect.Effect<string> => {
        const parts = Effect.suspend(() =>
          Effect.all(
            [0, 1, 2].map((part) => node(layer + 1, part)),
            { concurrency: 3 }
          )
        )
        return cache.getOrLoad(
          CacheKey.of("nodes", layer, i),
          text,
          layer === 30 ? load : Effect.as(parts, "node")
        )
      }
      const root = yield* Effect.forkChild(node(1, 0))
      yield* Deferred.await(began)
      yield* Effect.replicateEffect(Effect.yieldNow, 100)
      yield* Deferred.succeed(release, undefined)
      expect(yield* Fiber.join(root)).toBe("node")
    }).pipe(Effect.provide(TestCache.layer()))
  )

  it.effect("a caller is interrupted if the cache was released", () =>
    Effect.gen(function* () {
      const cache = yield* Effect.provide(ObjectCache, TestCache.layer())
      const exit = yield* Effect.exit(cache.getOrLoad(key, text, Effect.succeed("value")))
      expect(exit).toMatchObject({ _tag: "Failure" })
    })
  )

  it.effect("a load has a scope of its own, which closes with it", () =>
    Effect.gen(function* () {
      const cache = yield* ObjectCache
      const events: Array<string> = []
      const load = Effect.as(
        Effect.acquireRelease(
          Effect.sync(() => events.push("acquired")),
          () => Effect.sync(() => void events.push("released"))
        ),
        "value"
      )
      yield* cache.getOrLoad(key, text, load)
      expect(events).toEqual(["acquired", "released"])
    }).pipe(Effect.provide(TestCache.layer()))
  )
})

describe("the lock", () => {
  it.effect("ends ten seconds after its process died", () =>
    Effect.gen(function* () {
      const store = TestCache.store()
      const context = yield* Layer.build(TestCache.layer({ store }))
      const one = Context.get(context, ObjectCache)
      const lock = "test:lock/products/7"
      yield* store.replace(lock, undefined, { ttl: 10_000, value: "a-dead-process-x" })
      const waiting = yield* Effect.forkChild(
        one.getOrLoad(key, { ...text, lock: true }, Effect.succeed("value"))
      )
      yield* TestClock.adjust("9 seconds")
      expect(waiting.pollUnsafe()).toBeUndefined()
      yield* TestClock.adjust("2 seconds")
      expect(yield* Fiber.join(waiting)).toBe("value")
    }).pipe(Effect.scoped)
  )

  it.effect("lasts as long as a load that goes on, and others load after thirty seconds", () =>
    Effect.gen(function* () {
      const store = TestCache.store()
      const context = TestCache.layer({ store })
      const load = (value: string) =>
        Effect.forkChild(
          Effect.provide(
            ObjectCache.use((cache) =>
              cache.getOrLoad(
                key,
                { ...text, lock: true },
                Effect.andThen(Effect.sleep("25 seconds"), Effect.succeed(value))
              )
            ),
            context
          )
        )
      const one = yield* load("one")
      yield* Effect.yieldNow
      const two = yield* load("two")
      yield* TestClock.adjust("26 seconds")
      expect(yield* Fiber.join(one)).toBe("one")
      expect(yield* Fiber.join(two)).toBe("one")
      yield* store.delete(["test:entry/products/7"])
      yield* store.replace("test:lock/products/7", undefined, {
        ttl: 3_600_000,
        value: "a-very-slow-one-"
      })
      const three = yield* load("three")
      yield* TestClock.adjust("29 seconds")
      expect(three.pollUnsafe()).toBeUndefined()
      yield* TestClock.adjust("30 seconds")
      expect(yield* Fiber.join(three)).toBe("three")
    })
  )
})

describe("a value that cannot be stored", () => {
  it.effect("is returned, and not stored, if its schema cannot encode it", () =>
    Effect.gen(function* () {
      const cache = yield* ObjectCache
      const Even = Schema.Int.check(Schema.isMultipleOf(2))
      expect(yield* cache.getOrLoad(key, { schema: Even }, Effect.succeed(3))).toBe(3)
      expect(yield* cache.get(key, { schema: Even })).toEqual(Option.none())
    }).pipe(Effect.provide(TestCache.layer()))
  )

  it.effect("is returned, and not stored, if the load took longer than five minutes", () =>
    Effect.gen(function* () {
      const cache = yield* ObjectCache
      const loading = yield* Effect.forkChild(
        cache.getOrLoad(key, text, Effect.as(Effect.sleep("6 minutes"), "late"))
      )
      yield* TestClock.adjust("6 minutes")
      expect(yield* Fiber.join(loading)).toBe("late")
      expect(yield* cache.get(key, text)).toEqual(Option.none())
    }).pipe(Effect.provide(TestCache.layer()))
  )
})
