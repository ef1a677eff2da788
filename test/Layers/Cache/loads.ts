/** What the loads of a cache do on every backend. */
import { expect, it } from "@effect/vitest"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { CacheKey } from "flange/Cache"
import type { Shape } from "../../../src/Layers/Cache/ObjectCache.ts"

const text = { schema: Schema.String }

class NotFound extends Schema.TaggedError<NotFound>()("NotFound", { id: Schema.Int }) {}

class Broken extends Data.TaggedError("Broken") {}

/** Returns a load that counts its runs. */
export const counted = (value = "value") => {
  const state = { runs: 0 }
  return {
    load: Effect.sync(() => `${value} ${++state.runs}`),
    get runs() {
      return state.runs
    }
  }
}

/** Adds the tests of loads. `replicas` opens caches that share a backend. */
export const loads = (
  replicas: (count: number) => Effect.Effect<ReadonlyArray<Shape>, unknown, Scope.Scope>
): void => {
  it.effect.each([
    ["key", CacheKey.of("products", 7)],
    ["prefix", CacheKey.prefix("products")],
    ["prefix of exactly the key", CacheKey.prefix("products", 7)],
    ["tag", CacheKey.tag("catalogue")]
  ] as const)(
    "what a load began before an invalidation by %s returns is not stored",
    ([, target]) =>
      Effect.gen(function* () {
        const [one, two] = yield* replicas(2)
        const key = CacheKey.of("products", 7)
        const options = { ...text, tags: ["catalogue"] }
        const began = yield* Deferred.make<void>()
        const release = yield* Deferred.make<void>()
        const slow = Deferred.succeed(began, undefined).pipe(
          Effect.andThen(Deferred.await(release)),
          Effect.as("old")
        )
        const loading = yield* Effect.forkChild(one!.getOrLoad(key, options, slow))
        yield* Deferred.await(began)
        yield* two!.invalidate(target)
        yield* Deferred.succeed(release, undefined)
        expect(yield* Fiber.join(loading)).toBe("old")
        expect(yield* one!.get(key, text)).toEqual(Option.none())
        expect(yield* two!.getOrLoad(key, options, Effect.succeed("new"))).toBe("new")
        expect(yield* one!.getOrLoad(key, options, Effect.succeed("newer"))).toBe("new")
      })
  )

  it.effect("a caller after an invalidation does not share a load from before it", () =>
    Effect.gen(function* () {
      const [cache] = yield* replicas(1)
      const key = CacheKey.of("products", 7)
      const began = yield* Deferred.make<void>()
      const release = yield* Deferred.make<void>()
      const slow = Deferred.succeed(began, undefined).pipe(
        Effect.andThen(Deferred.await(release)),
        Effect.as("old")
      )
      const loading = yield* Effect.forkChild(cache!.getOrLoad(key, text, slow))
      yield* Deferred.await(began)
      yield* cache!.invalidate(key)
      expect(yield* cache!.getOrLoad(key, text, Effect.succeed("new"))).toBe("new")
      yield* Deferred.succeed(release, undefined)
      expect(yield* Fiber.join(loading)).toBe("old")
      expect(yield* cache!.get(key, text)).toEqual(Option.some("new"))
    })
  )

  it.effect("failures and defects are not stored", () =>
    Effect.gen(function* () {
      const [cache] = yield* replicas(1)
      const key = CacheKey.of("products", 7)
      const { load } = counted()
      expect(yield* Effect.flip(cache!.getOrLoad(key, text, new NotFound({ id: 7 })))).toEqual(
        new NotFound({ id: 7 })
      )
      const died = yield* Effect.exit(cache!.getOrLoad(key, text, Effect.die("boom")))
      expect(died).toEqual(Exit.die("boom"))
      expect(yield* cache!.getOrLoad(key, text, load)).toBe("value 1")
    })
  )

  it.effect("failures of a schema are stored by choice, other failures are not", () =>
    Effect.gen(function* () {
      const [one, two] = yield* replicas(2)
      const key = CacheKey.of("products", 7)
      const options = {
        ...text,
        failures: { schema: NotFound, ttl: "10 seconds" },
        ttl: "1 hour"
      } as const
      let runs = 0
      const load = Effect.suspend((): Effect.Effect<string, Broken | NotFound> => {
        runs++
        return runs === 1 ? Effect.fail(new Broken()) : Effect.fail(new NotFound({ id: 7 }))
      })
      expect(yield* Effect.flip(one!.getOrLoad(key, options, load))).toBeInstanceOf(Broken)
      expect(yield* Effect.flip(one!.getOrLoad(key, options, load))).toBeInstanceOf(NotFound)
      const again = yield* Effect.flip(two!.getOrLoad(key, options, load))
      expect(again).toBeInstanceOf(NotFound)
      expect(again).toMatchObject({ id: 7 })
      expect(runs).toBe(2)
      expect(yield* one!.get(key, text)).toEqual(Option.none())
      yield* TestClock.adjust("10 seconds")
      expect(yield* one!.getOrLoad(key, options, Effect.succeed("found"))).toBe("found")
    })
  )

  it.effect("an old value is returned while it is loaded again, and if a load fails", () =>
    Effect.gen(function* () {
      const [cache] = yield* replicas(1)
      const key = CacheKey.of("products", 7)
      const options = {
        ...text,
        staleIfError: "1 hour",
        staleWhileRevalidate: "1 minute",
        ttl: "10 seconds"
      } as const
      const { load } = counted()
      const loaded = yield* Deferred.make<void>()
      yield* cache!.getOrLoad(key, options, load)
      yield* TestClock.adjust("30 seconds")
      const again = Effect.tap(load, () => Deferred.succeed(loaded, undefined))
      expect(yield* cache!.getOrLoad(key, options, again)).toBe("value 1")
      yield* Deferred.await(loaded)
      let found = yield* cache!.get(key, text)
      while (Option.isNone(found)) {
        yield* Effect.yieldNow
        found = yield* cache!.get(key, text)
      }
      expect(found).toEqual(Option.some("value 2"))
      yield* TestClock.adjust("30 minutes")
      expect(yield* cache!.getOrLoad(key, options, Effect.die("boom"))).toBe("value 2")
      yield* TestClock.adjust("31 minutes")
      const late = yield* Effect.exit(cache!.getOrLoad(key, options, Effect.die("boom")))
      expect(late).toEqual(Exit.die("boom"))
    })
  )

  it.live("a thousand concurrent misses load once, and share the failure of a load", () =>
    Effect.gen(function* () {
      const [cache] = yield* replicas(1)
      const state = counted()
      const load = Effect.andThen(Effect.sleep(20), state.load)
      const all = yield* Effect.replicateEffect(
        cache!.getOrLoad(CacheKey.of("products", 7), text, load),
        1000,
        { concurrency: "unbounded" }
      )
      expect([...new Set(all)]).toEqual(["value 1"])
      let runs = 0
      const failing = Effect.suspend(() => Effect.andThen(Effect.sleep(20), Effect.fail(++runs)))
      const failures = yield* Effect.replicateEffect(
        Effect.flip(cache!.getOrLoad(CacheKey.of("products", 8), text, failing)),
        1000,
        { concurrency: "unbounded" }
      )
      expect([...new Set(failures)]).toEqual([1])
    })
  )

  it.live("with the lock, replicas load once", () =>
    Effect.gen(function* () {
      const caches = yield* replicas(3)
      const state = counted()
      const load = Effect.andThen(Effect.sleep(100), state.load)
      const options = { ...text, lock: true }
      const all = yield* Effect.forEach(
        [...caches, ...caches],
        (cache) => cache.getOrLoad(CacheKey.of("products", 7), options, load),
        { concurrency: "unbounded" }
      )
      expect([...new Set(all)]).toEqual(["value 1"])
      expect(state.runs).toBe(1)
    })
  )

  it.live("the lock is free after a load that failed", () =>
    Effect.gen(function* () {
      const [one, two] = yield* replicas(2)
      const key = CacheKey.of("products", 7)
      const options = { ...text, lock: true }
      const died = yield* Effect.exit(one!.getOrLoad(key, options, Effect.die("boom")))
      expect(died).toEqual(Exit.die("boom"))
      expect(yield* two!.getOrLoad(key, options, Effect.succeed("value"))).toBe("value")
    })
  )

  it.live(
    "a value is never older than an invalidation before it, whatever runs at the same time",
    () =>
      Effect.gen(function* () {
        const caches = yield* replicas(2)
        const options = { schema: Schema.Int, tags: ["all"] }
        const keys = [CacheKey.of("numbers", 1, "a"), CacheKey.of("numbers", 1, "b")]
        const targets = [...keys, CacheKey.prefix("numbers", 1), CacheKey.tag("all")]
        /** The data: a number that only grows. */
        let current = 0
        const load = Effect.suspend(() => {
          const read = current
          return Effect.as(Effect.sleep(read % 3), read)
        })
        const busy = Effect.forEach(
          caches,
          (cache) => {
            /** The lowest number that a reader of this replica may see, by key. */
            const floors = [0, 0]
            const write = (turn: number) =>
              Effect.gen(function* () {
                const written = ++current
                const target = targets[turn % targets.length]!
                yield* cache.invalidate(target)
                keys.forEach((_, i) => {
                  if (target !== keys[1 - i]) floors[i] = Math.max(floors[i]!, written)
                })
                yield* Effect.sleep(turn % 4)
              })
            const read = (turn: number) =>
              Effect.gen(function* () {
                const i = turn % 2
                const floor = floors[i]!
                const found = yield* cache.getOrLoad(keys[i]!, options, load)
                if (found < floor) return yield* Effect.die(`read ${found}, written was ${floor}`)
                yield* Effect.sleep(turn % 3)
              })
            const turns = Array.from({ length: 100 }, (_, turn) => turn)
            return Effect.forEach(
              [write, read, read, read],
              (run, offset) => Effect.forEach(turns, (turn) => run(turn + offset)),
              { concurrency: "unbounded" }
            )
          },
          { concurrency: "unbounded" }
        )
        yield* busy
        for (const cache of caches) {
          for (const key of keys) {
            // The copies of a replica are removed a moment after the invalidation.
            while ((yield* cache.getOrLoad(key, options, load)) < current) yield* Effect.sleep(5)
          }
        }
      })
  )
}
