import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Cache from "flange/Cache"
import { TestApp } from "flange/Testing"
import { as, make } from "./fixtures.ts"

const { CacheKey, ObjectCache } = Cache

const purge = (...targets: ReadonlyArray<Cache.CacheKey.Target>) =>
  ObjectCache.use((cache) => cache.invalidate(...targets))

/** `fetch` sends `no-cache` with the headers of a condition, unless it is told otherwise. */
const whenever = { "cache-control": "max-age=3600" }

describe("a cached reply", () => {
  it.effect("is made once, and has its age, its validators and how long it may be used", () =>
    Effect.gen(function* () {
      const { app, ran } = make()
      const test = yield* TestApp.make(app)
      const first = (yield* test.get("/home")).expectStatus(200).expectHeader("x-cache", "MISS")
      first
        .expectHeader("age", "0")
        .expectHeader("cache-control", "public, max-age=60")
        .expectHeader("etag", /^"[\w-]{27}"$/)
        .expectHeader("last-modified", "Thu, 01 Jan 1970 00:00:00 GMT")
      yield* TestClock.adjust("7500 millis")
      const second = (yield* test.get("/home")).expectStatus(200).expectHeader("x-cache", "HIT")
      second
        .expectHeader("age", "7")
        .expectHeader("cache-control", "public, max-age=60")
        .expectHeader("content-type", first.headers.get("content-type")!)
        .expectHeader("etag", first.headers.get("etag")!)
        .expectHeader("last-modified", "Thu, 01 Jan 1970 00:00:00 GMT")
      assert.strictEqual(second.text, first.text)
      assert.notStrictEqual(second.headers.get("x-request-id"), first.headers.get("x-request-id"))
      assert.deepStrictEqual(ran, ["home"])
      yield* TestClock.adjust("1 minute")
      ;(yield* test.get("/home")).expectHeader("x-cache", "MISS").expectHeader("age", "0")
      assert.deepStrictEqual(ran, ["home", "home"])
    })
  )

  it.effect("answers HEAD and GET with one reply, whichever came first", () =>
    Effect.gen(function* () {
      const { app, ran } = make()
      const test = yield* TestApp.make(app)
      const head = (yield* test.head("/home")).expectHeader("x-cache", "MISS")
      assert.strictEqual(head.text, "")
      const get = (yield* test.get("/home")).expectHeader("x-cache", "HIT")
      assert.strictEqual(JSON.parse(get.json as string).method, "GET")
      const again = (yield* test.head("/home")).expectHeader("x-cache", "HIT")
      assert.strictEqual(again.text, "")
      assert.strictEqual(again.headers.get("content-length"), String(get.bytes.length))
      assert.deepStrictEqual(ran, ["home"])
    })
  )

  it.effect("of another method, and of an endpoint that opts out, is not cached", () =>
    Effect.gen(function* () {
      const { app, ran } = make()
      const test = yield* TestApp.make(app)
      for (let i = 0; i < 2; i++) {
        assert.isNull((yield* test.post("/home")).expectStatus(200).headers.get("x-cache"))
        assert.isNull((yield* test.get("/uncached")).expectStatus(200).headers.get("x-cache"))
      }
      assert.deepStrictEqual(ran, ["change", "uncached", "change", "uncached"])
    })
  )

  it.effect("keeps its bytes, its status and its own validator", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(make().app)
      for (const result of ["MISS", "HIT"]) {
        const bytes = yield* test.get("/made/bytes")
        bytes.expectHeader("x-cache", result).expectHeader("content-type", "image/x")
        assert.deepStrictEqual([...bytes.bytes], [0, 255, 128])
        ;(yield* test.get("/made/tagged"))
          .expectHeader("x-cache", result)
          .expectHeader("etag", '"mine"')
        const large = (yield* test.get("/made/large")).expectHeader("x-cache", result)
        assert.strictEqual(large.bytes.length, 2 * 2 ** 20)
      }
    })
  )

  it.effect("is not stored if HTTP, its headers, its status or its size forbid it", () =>
    Effect.gen(function* () {
      const { app, ran } = make()
      const test = yield* TestApp.make(app)
      const kinds = [
        "cookie",
        "cookieLine",
        "empty",
        "error",
        "expired",
        "gone",
        "huge",
        "noCache",
        "noStore",
        "partial",
        "private",
        "short",
        "varied",
        "varyAll"
      ]
      for (const kind of kinds) {
        for (let i = 0; i < 2; i++) {
          ;(yield* test.get(`/made/${kind}`)).expectHeader("x-cache", "MISS")
        }
      }
      assert.deepStrictEqual(
        ran,
        kinds.flatMap((kind) => [kind, kind])
      )
    })
  )

  it.effect("is sent as 304 to a client that has it, also if it was not stored before", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(make().app)
      const etag = (yield* test.get("/made/bytes")).headers.get("etag")!
      yield* test.run(purge(CacheKey.prefix("responses")))
      for (const result of ["MISS", "HIT"]) {
        const reply = yield* test.get("/made/bytes", {
          headers: { ...whenever, "if-none-match": etag }
        })
        reply
          .expectStatus(304)
          .expectHeader("x-cache", result)
          .expectHeader("etag", etag)
          .expectHeader("cache-control", "public, max-age=60")
        assert.strictEqual(reply.bytes.length, 0)
      }
      const conditions: ReadonlyArray<[Record<string, string>, number]> = [
        [{ "if-none-match": `W/${etag}` }, 304],
        [{ "if-none-match": `"a", ${etag}` }, 304],
        [{ "if-none-match": "*" }, 304],
        [{ "if-none-match": '"a"' }, 200],
        [{ "if-none-match": etag.replaceAll('"', "") }, 200],
        [{ "if-none-match": "" }, 200],
        [{ "if-modified-since": "Thu, 01 Jan 1970 00:00:00 GMT" }, 304],
        [{ "if-modified-since": "Wed, 31 Dec 1969 23:59:59 GMT" }, 200],
        [{ "if-modified-since": "yesterday" }, 200],
        // The tag decides.
        [{ "if-modified-since": "Thu, 01 Jan 1970 00:00:00 GMT", "if-none-match": '"a"' }, 200]
      ]
      for (const [condition, status] of conditions) {
        const headers = { ...whenever, ...condition }
        ;(yield* test.get("/made/bytes", { headers })).expectStatus(status)
        ;(yield* test.head("/made/bytes", { headers })).expectStatus(status)
      }
    })
  )

  it.effect("is not used against the directives of the request", () =>
    Effect.gen(function* () {
      const { app, ran } = make()
      const test = yield* TestApp.make(app)
      const get = (headers: Record<string, string>) => test.get("/home", { headers })
      ;(yield* get({ "cache-control": "no-store" })).expectHeader("x-cache", "BYPASS")
      ;(yield* get({})).expectHeader("x-cache", "MISS")
      yield* TestClock.adjust("20 seconds")
      const results: ReadonlyArray<[Record<string, string>, string]> = [
        [{ "cache-control": "no-store" }, "BYPASS"],
        [{ "cache-control": "No-Cache" }, "BYPASS"],
        [{ pragma: "no-cache" }, "BYPASS"],
        [{ "cache-control": "max-age=0" }, "BYPASS"],
        [{ "cache-control": "max-age=19" }, "BYPASS"],
        [{ "cache-control": "max-age=nothing" }, "BYPASS"],
        [{ "cache-control": "max-age=20" }, "HIT"],
        [{ "cache-control": 'max-age="20"' }, "HIT"],
        [{ "cache-control": "min-fresh=41" }, "BYPASS"],
        [{ "cache-control": "min-fresh=40" }, "HIT"],
        [{ "cache-control": "max-stale, only-if-cached" }, "HIT"]
      ]
      for (const [headers, result] of results) (yield* get(headers)).expectHeader("x-cache", result)
      // A request that bypasses the cache does not change what is stored.
      ;(yield* get({})).expectHeader("age", "20").expectHeader("x-cache", "HIT")
      assert.strictEqual(ran.length, 9)
    })
  )

  it.effect("is forgotten by tag and by prefix", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(make().app)
      const get = (path: string, result: string) =>
        Effect.map(test.get(path), (reply) => reply.expectHeader("x-cache", result))
      for (const id of ["1", "2"]) yield* get(`/products/${id}`, "MISS")
      yield* test.run(purge(CacheKey.tag("product:1")))
      yield* get("/products/1", "MISS")
      yield* get("/products/2", "HIT")
      yield* test.run(purge(CacheKey.tag("catalogue")))
      for (const id of ["1", "2"]) yield* get(`/products/${id}`, "MISS")
      yield* get("/home", "MISS")
      yield* test.run(purge(CacheKey.prefix("responses", "pages.product")))
      yield* get("/products/1", "MISS")
      yield* get("/home", "HIT")
    })
  )

  it.effect("tells observers how it was found", () =>
    Effect.gen(function* () {
      const { app, seen } = make()
      const test = yield* TestApp.make(app)
      yield* test.get("/home")
      yield* test.get("/home")
      yield* test.get("/home", { headers: { "cache-control": "no-store" } })
      yield* test.get("/uncached")
      assert.deepStrictEqual(seen, ["miss 200", "hit 200", "bypass 200", "undefined 200"])
    })
  )
})

describe("a reply for each caller", () => {
  it.effect("is never that of another caller, nor of another token of the same caller", () =>
    Effect.gen(function* () {
      const { app, ran } = make()
      const test = yield* TestApp.make(app)
      const tokens = ["token-of-ada-0000", "token-of-ada-less", "token-of-bob-0000"] as const
      const texts = ["ada secret:read", "ada ", "bob "]
      for (const result of ["MISS", "HIT", "HIT"]) {
        for (const [i, token] of tokens.entries()) {
          const reply = yield* test.get("/mine", as(token))
          reply.expectHeader("x-cache", result).expectHeader("cache-control", "private, no-cache")
          reply.expectJson(texts[i])
        }
      }
      assert.deepStrictEqual(ran, ["ada", "ada", "bob"])
      ;(yield* test.get("/mine")).expectProblem("UNAUTHENTICATED", 401)
    })
  )

  it.effect("is sent only to callers whom the guards of the endpoint admit", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(make().app)
      for (const result of ["MISS", "HIT"]) {
        ;(yield* test.get("/mine/guarded", as("token-of-ada-0000"))).expectHeader("x-cache", result)
        const refused = yield* test.get("/mine/guarded", as("token-of-ada-less"))
        refused.expectProblem("FORBIDDEN", 403)
        assert.isNull(refused.headers.get("x-cache"))
        ;(yield* test.get("/mine/guarded")).expectProblem("UNAUTHENTICATED", 401)
      }
    })
  )
})
