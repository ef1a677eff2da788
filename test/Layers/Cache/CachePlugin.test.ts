import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { AdminRoute, App, AppRuntime, ConsolePanel, HealthCheck } from "flange"
import * as Cache from "flange/Cache"
import * as Metrics from "flange/Metrics"
import * as Redis from "flange/Redis"
import { TestApp } from "flange/Testing"
import { freePort } from "../Redis/server.ts"
import { hasRedis, startRedis } from "./backends.ts"

const root = join(import.meta.dirname, "../../..")

const { CacheKey, ObjectCache } = Cache

const text = { schema: Schema.String }

const appOf = (values: object) =>
  App.make("shop", [Cache.plugin], { config: { values: { cache: values } } })

/** Calls a route of the admin port. */
const admin = (name: string, body?: unknown) =>
  Effect.gen(function* () {
    const { contributions } = yield* AppRuntime
    const route = contributions(AdminRoute.kind).find((one) => one.name === name)!
    const request = HttpServerRequest.fromWeb(
      new Request("http://localhost/", {
        headers: { "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body), method: "POST" })
      })
    )
    const response = yield* (
      route.value as Effect.Effect<
        HttpServerResponse.HttpServerResponse,
        unknown,
        HttpServerRequest.HttpServerRequest
      >
    ).pipe(Effect.provideService(HttpServerRequest.HttpServerRequest, request))
    return HttpServerResponse.toWeb(response)
  })

describe("Cache.plugin", () => {
  it.effect("is in memory by default, with the metrics of each cache", () =>
    Effect.gen(function* () {
      const shop = yield* TestApp.make(App.make("shop", [Cache.plugin, Metrics.plugin]))
      const names = yield* shop.run(
        Effect.gen(function* () {
          const cache = yield* ObjectCache
          yield* cache.getOrLoad(CacheKey.of("products", 7), text, Effect.succeed("tea"))
          yield* cache.getOrLoad(CacheKey.of("products", 7), text, Effect.succeed("tea"))
          const { backend, caches } = yield* cache.stats
          expect(backend).toBe("memory")
          expect(caches["products"]).toMatchObject({ hits: 1, loads: 1, misses: 1 })
          expect(caches["products"]!.bytes).toBeGreaterThan(200)
          return Metric.snapshotUnsafe(yield* Effect.context<never>())
        })
      )
      const metrics = names
        .filter(({ id }) => id.startsWith("cache."))
        .map(({ attributes, id }) => `${id} ${attributes?.["cache.name"]}`)
      expect([...new Set(metrics)].toSorted()).toEqual([
        "cache.loads products",
        "cache.lookups products",
        // The records of the prefixes.
        "cache.memory.usage _OTHER",
        "cache.memory.usage products"
      ])
    })
  )

  it.effect("the name of a cache may be any text", () =>
    Effect.gen(function* () {
      const shop = yield* TestApp.make(appOf({}))
      const { caches } = yield* shop.run(
        Effect.gen(function* () {
          const cache = yield* ObjectCache
          const names = ["a/b", "\ud800", "字".repeat(100), "%", "x".repeat(1000)]
          for (const name of names) {
            const load = cache.getOrLoad(CacheKey.of(name, 7), text, Effect.succeed("tea"))
            expect(yield* load).toBe("tea")
            expect(yield* load).toBe("tea")
          }
          return yield* cache.stats
        })
      )
      const { _OTHER, ...named } = caches
      expect(_OTHER!.bytes).toBeGreaterThan(0)
      for (const { bytes, hits, loads } of Object.values(named)) {
        expect([bytes > 0, hits, loads]).toEqual([true, 1, 1])
      }
      expect(Object.keys(named)).toHaveLength(5)
    })
  )

  it.effect("a load is a span of a request that is traced", () =>
    Effect.gen(function* () {
      const shop = yield* TestApp.make(appOf({}))
      const cache = yield* shop.run(ObjectCache)
      const names: Array<string> = []
      const load = (id: number) =>
        cache.getOrLoad(
          CacheKey.of("products", id),
          text,
          Effect.map(Effect.option(Effect.currentSpan), (span) => {
            const name = Option.match(span, { onNone: () => "none", onSome: ({ name }) => name })
            names.push(name)
            return name
          })
        )
      yield* Effect.withSpan(load(1), "request")
      yield* load(1)
      yield* load(2)
      yield* Effect.withSpan(load(3), "request", { sampled: false })
      expect(names).toEqual(["cache.load products", "none", "request"])
    })
  )

  it.effect("callers who choose the names of caches get at most a hundred series", () =>
    Effect.gen(function* () {
      const shop = yield* TestApp.make(appOf({}))
      const { caches } = yield* shop.run(
        Effect.gen(function* () {
          const cache = yield* ObjectCache
          for (let i = 0; i < 300; i++) yield* cache.get(CacheKey.of(`name ${i}`), text)
          return yield* cache.stats
        })
      )
      expect(Object.keys(caches)).toHaveLength(101)
      expect(caches["_OTHER"]!.misses).toBe(200)
    })
  )

  it.effect("the admin port shows the numbers and forgets values", () =>
    Effect.gen(function* () {
      const shop = yield* TestApp.make(appOf({}))
      yield* shop.run(
        Effect.gen(function* () {
          const cache = yield* ObjectCache
          const keys = [CacheKey.of("a", 1), CacheKey.of("b", 1), CacheKey.of("c", 1)]
          yield* cache.setMany(
            keys.map((key) => [key, "x"] as const),
            { ...text, tags: ["t 1"] }
          )
          const left = Effect.map(cache.getMany(keys, text), (all) => all.map(Option.isSome))
          const invalidated = yield* admin("invalidate-cache", {
            keys: [["a", 1]],
            prefixes: [["b"]]
          })
          expect(invalidated.status).toBe(204)
          expect(yield* left).toEqual([false, false, true])
          yield* admin("invalidate-cache", { tags: ["t 1"] })
          expect(yield* left).toEqual([false, false, false])
          expect(yield* Effect.flip(admin("invalidate-cache", { keys: [7] }))).toMatchObject({
            code: "MALFORMED_REQUEST"
          })
          const reply = yield* admin("cache")
          const stats = yield* Effect.promise(() => reply.json())
          expect(stats).toMatchObject({ backend: "memory", errors: 0 })
        })
      )
    })
  )

  it.effect("the panel of the console is a module of its own that shows the numbers", () =>
    Effect.gen(function* () {
      const shop = yield* TestApp.make(appOf({}))
      const { contributions } = yield* shop.run(AppRuntime)
      const [panel] = contributions(ConsolePanel.kind)
      const { page } = panel!.data
      const url = "module" in page ? page.module.href : ""
      const { render } = yield* Effect.promise(() => import(url))
      const texts: Array<string> = []
      const makeElement = (): object => ({
        append: () => {},
        set textContent(value: string) {
          texts.push(value)
        }
      })
      const numbers = { hits: 3 }
      render(
        { ownerDocument: { createElement: makeElement }, replaceChildren: () => {} },
        { backend: "memory", caches: { products: numbers }, errors: 0 }
      )
      expect(texts).toContain("Backend: memory. Failures of the backend: 0.")
      expect(texts).toContain("products")
      expect(texts).toContain("3")
    })
  )

  it.effect("a backend that needs Redis is refused with what to list", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(TestApp.make(appOf({ backend: "redis" })))
      expect(String(error)).toContain("List Redis.plugin and Cache.withRedis in its place")
    })
  )

  it.live.skipIf(!hasRedis)(
    "with Redis, values are in Redis, and its health is informational",
    () =>
      Effect.gen(function* () {
        const port = yield* Effect.promise(freePort)
        yield* Effect.acquireRelease(
          Effect.promise(() => startRedis(port)),
          (server) => Effect.sync(() => void server.kill())
        )
        const shop = yield* TestApp.make(
          App.make("shop", [Cache.withRedis, Redis.plugin], {
            config: {
              values: { cache: { timeout: "30s" }, redis: { url: `redis://127.0.0.1:${port}` } }
            }
          })
        )
        const client = yield* shop.run(Redis.Redis)
        yield* shop.run(
          ObjectCache.use((cache) => cache.set(CacheKey.of("products", 7), "tea", text))
        )
        expect(yield* client.send("EXISTS", "shop:cache:entry/products/7")).toBe(1)
        const { contributions } = yield* shop.run(AppRuntime)
        const health = contributions(HealthCheck.kind).find(({ name }) => name === "cache")
        expect(health?.data.class).toBe("informational")
        yield* health!.value
      })
  )
})

it("an app that does not import flange/Cache loads no package of its backends", () => {
  const program = `
    import { registerHooks } from "node:module"
    const loaded = []
    registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context) } })
    const { App } = await import("flange")
    App.make("shop", [])
    const before = loaded.filter((url) => /node_modules.(lru-cache|memcache|redis|@redis)/.test(url))
    const Cache = await import("flange/Cache")
    App.make("shop", [Cache.plugin])
    const after = loaded.filter((url) => /node_modules.(lru-cache|memcache|redis|@redis)/.test(url))
    console.log(JSON.stringify([before, after]))`
  const output = execFileSync(
    `${root}/node_modules/.bin/node`,
    ["--conditions=flange-source", "--input-type=module", "--eval", program],
    { cwd: root, encoding: "utf8" }
  )
  expect(JSON.parse(output)).toEqual([[], []])
})
