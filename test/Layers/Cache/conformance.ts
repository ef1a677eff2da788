/** What a cache does on every backend. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { CacheKey } from "flange/Cache"
import { makeId } from "../../../src/Layers/Cache/CacheStore.ts"
import type { Shape } from "../../../src/Layers/Cache/ObjectCache.ts"
import type { Backend } from "./backends.ts"
import { counted, loads } from "./loads.ts"

const text = { schema: Schema.String }

/** Runs the suite on a backend. */
export const suite = (backend: Backend, isRun: boolean) =>
  describe.skipIf(!isRun)(`the cache on ${backend.name}`, () => {
    const replicas = (count: number) =>
      Effect.gen(function* () {
        const namespace = `flange-test-${makeId()}`
        const all: Array<Shape> = []
        for (let i = 0; i < count; i++) all.push((yield* backend.replica(namespace)).cache)
        return all
      })

    it.effect("a value is loaded once", () =>
      Effect.gen(function* () {
        const [cache] = yield* replicas(1)
        const key = CacheKey.of("products", 7, "summary")
        const { load } = counted()
        expect(yield* cache!.getOrLoad(key, text, load)).toBe("value 1")
        expect(yield* cache!.getOrLoad(key, text, load)).toBe("value 1")
        expect(yield* cache!.get(key, text)).toEqual(Option.some("value 1"))
        expect(yield* cache!.stats).toMatchObject({
          caches: { products: { hits: 2, loads: 1, misses: 1 } },
          errors: 0
        })
      })
    )

    it.effect("a value is fresh for at least nine tenths of its ttl, and not after it", () =>
      Effect.gen(function* () {
        const [cache] = yield* replicas(1)
        const key = CacheKey.of("products", 7)
        const options = { ...text, ttl: "100 seconds" } as const
        const { load } = counted()
        yield* cache!.getOrLoad(key, options, load)
        yield* TestClock.adjust("89 seconds")
        expect(yield* cache!.getOrLoad(key, options, load)).toBe("value 1")
        yield* TestClock.adjust("11 seconds")
        expect(yield* cache!.getOrLoad(key, options, load)).toBe("value 2")
      })
    )

    it.effect("replicas share values, and invalidations by key, prefix and tag reach all", () =>
      Effect.gen(function* () {
        const [one, two] = yield* replicas(2)
        const keys = [
          CacheKey.of("products", 7, "summary"),
          CacheKey.of("products", 7, "price"),
          CacheKey.of("products", 8, "summary"),
          CacheKey.of("users", 7)
        ]
        const options = (i: number) => ({ ...text, tags: i === 3 ? [] : ["catalogue", `tag ${i}`] })
        const fill = Effect.forEach(keys, (key, i) =>
          Effect.andThen(
            one!.getOrLoad(key, options(i), Effect.succeed(`v${i}`)),
            two!.getOrLoad(key, options(i), Effect.die("two must see the value of one"))
          )
        )
        const left = (cache: Shape) =>
          Effect.map(cache.getMany(keys, text), (all) => all.map(Option.getOrNull))
        const both = Effect.all([left(one!), left(two!)])
        yield* fill
        expect(yield* both).toEqual([
          ["v0", "v1", "v2", "v3"],
          ["v0", "v1", "v2", "v3"]
        ])
        yield* two!.invalidate(CacheKey.of("products", 7, "price"))
        expect(yield* left(one!)).toEqual(["v0", null, "v2", "v3"])
        yield* one!.invalidate(CacheKey.tag("tag 2"))
        expect(yield* left(two!)).toEqual(["v0", null, null, "v3"])
        yield* two!.invalidate(CacheKey.prefix("products", 7))
        expect(yield* left(one!)).toEqual([null, null, null, "v3"])
        yield* one!.set(keys[0]!, "new", options(0))
        yield* one!.set(keys[3]!, "new", options(3))
        expect(yield* left(two!)).toEqual(["new", null, null, "new"])
        yield* two!.invalidate(CacheKey.tag("catalogue"), CacheKey.prefix("users"))
        expect(yield* both).toEqual([
          [null, null, null, null],
          [null, null, null, null]
        ])
      })
    )

    it.effect("a value that another version of the schema stored is a miss", () =>
      Effect.gen(function* () {
        const [cache] = yield* replicas(1)
        const key = CacheKey.of("products", 7)
        const Old = Schema.Struct({ title: Schema.String })
        const New = Schema.Struct({ at: Schema.Date, title: Schema.String })
        yield* cache!.set(key, { title: "Tea" }, { schema: Old })
        expect(yield* cache!.get(key, { schema: New })).toEqual(Option.none())
        const value = { at: new Date(0), title: "Tea" }
        expect(yield* cache!.getOrLoad(key, { schema: New }, Effect.succeed(value))).toEqual(value)
        expect(yield* cache!.get(key, { schema: New })).toEqual(Option.some(value))
        expect((yield* cache!.stats).caches["products"]).toMatchObject({ undecodable: 2 })
      })
    )

    it.effect("lists may be empty, and long", () =>
      Effect.gen(function* () {
        const [cache] = yield* replicas(1)
        yield* cache!.setMany([], text)
        yield* cache!.invalidate()
        expect(yield* cache!.getMany([], text)).toEqual([])
        const keys = Array.from({ length: 1000 }, (_, i) => CacheKey.of("numbers", i))
        yield* cache!.setMany(
          keys.map((key, i) => [key, `${i}`] as const),
          { ...text, ttl: "Infinity" }
        )
        const found = yield* cache!.getMany(keys, text)
        expect(found.map(Option.getOrNull)).toEqual(keys.map((_, i) => `${i}`))
        yield* cache!.invalidate(...keys)
        expect((yield* cache!.getMany(keys, text)).every(Option.isNone)).toBe(true)
        expect((yield* cache!.stats).errors).toBe(0)
      })
    )

    it.effect("keys and values of any text are kept apart and returned as they were", () =>
      Effect.gen(function* () {
        const [cache] = yield* replicas(1)
        const words = [
          "",
          " ",
          "a/b",
          "a%2Fb",
          "a\r\nb",
          "#",
          "字".repeat(300),
          "字".repeat(301),
          "x".repeat(5000),
          "\ud800",
          "\udc00",
          "😀",
          "é",
          "e\u0301"
        ]
        const entries = words.flatMap((word, i) => [
          [CacheKey.of("texts", word), `${word} ${i}`] as const,
          [CacheKey.of("texts", word, ""), `${word} ${i} deeper`] as const
        ])
        const wellFormed = entries.map(([key, value]) => [key, value.toWellFormed()] as const)
        yield* cache!.setMany(wellFormed, text)
        const found = yield* cache!.getMany(
          wellFormed.map(([key]) => key),
          text
        )
        expect(found.map(Option.getOrNull)).toEqual(wellFormed.map(([, value]) => value))
        const large = "字a😀".repeat(50_000)
        yield* cache!.set(CacheKey.of("texts", "large"), large, text)
        expect(yield* cache!.get(CacheKey.of("texts", "large"), text)).toEqual(Option.some(large))
      })
    )

    loads(replicas)
  })
