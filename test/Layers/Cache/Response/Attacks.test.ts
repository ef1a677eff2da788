import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestApp } from "flange/Testing"
import { as, make } from "./fixtures.ts"

type Headers = Readonly<Record<string, string>>

/** `fetch` sends `no-cache` with a range, unless it is told otherwise. */
const whenever = { "cache-control": "max-age=3600" }

interface Getting {
  readonly get: (
    path: string,
    options: { readonly headers: Headers }
  ) => Effect.Effect<Pick<Response, "headers" | "status">>
}

/** Returns how the reply to each request was found, or its status if that is not 200. */
const results = (
  test: Getting,
  requests: ReadonlyArray<readonly [path: string, headers?: Headers]>
) =>
  Effect.forEach(requests, ([path, headers = {}]) =>
    Effect.map(test.get(path, { headers }), (reply) =>
      reply.status === 200 ? reply.headers.get("x-cache") : reply.status
    )
  )

describe("a cached handler", () => {
  it.effect("sees no header that is not in the key of its reply", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(make().app)
      const poison = {
        "accept-encoding": "gzip",
        "cache-control": "max-age=3600",
        cookie: "session=victim",
        forwarded: "host=evil.example",
        "if-match": '"x"',
        origin: "https://evil.example",
        range: "bytes=0-1",
        referer: "https://evil.example/",
        "user-agent": "evil",
        "x-forwarded-host": "evil.example",
        "x-forwarded-proto": "evil",
        "x-http-method-override": "POST",
        "x-original-url": "/admin",
        "x-rewrite-url": "/admin"
      }
      const first = yield* test.get("/home", { headers: poison })
      first.expectStatus(200).expectHeader("x-cache", "MISS")
      assert.notInclude(first.text, "evil")
      assert.deepStrictEqual(JSON.parse(first.json as string), {
        headers: {},
        method: "GET",
        originalUrl: "/home",
        run: 1,
        url: "/home"
      })
      const second = (yield* test.get("/home")).expectHeader("x-cache", "HIT")
      assert.strictEqual(second.text, first.text)
    })
  )

  it.effect("sees the headers of varyBy and of its contract, and has a reply for each value", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(make().app)
      for (const [path, name] of [
        ["/language", "accept-language"],
        ["/declared", "x-tenant"]
      ] as const) {
        const found = yield* results(test, [
          [path, { [name]: "de" }],
          [path, { [name]: "en" }],
          [path, { [name]: "de" }],
          [path],
          [path, { [name]: "DE" }],
          [path]
        ])
        assert.deepStrictEqual(found, ["MISS", "MISS", "HIT", "MISS", "MISS", "HIT"])
        const reply = (yield* test.get(path, { headers: { [name]: "de" } })).expectHeader(
          "vary",
          name
        )
        assert.deepStrictEqual(JSON.parse(reply.json as string).headers, { [name]: "de" })
      }
    })
  )

  it.effect("sees the path in one spelling, and only the parameters of its contract", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(make().app)
      const first = yield* test.get("/products/%61%2Fb?x=1&q=2&tag=b&tag=a&x=<script>")
      first.expectHeader("x-cache", "MISS")
      assert.notInclude(first.text, "script")
      const seen = JSON.parse(first.json as string)
      assert.deepStrictEqual(seen.slice(0, 4), [
        "a/b",
        { q: "2", tag: ["b", "a"] },
        "/products/a%2Fb?q=2&tag=b&tag=a",
        {}
      ])
    })
  )
})

describe("the key of a cached reply", () => {
  it.effect("has the parameters of the contract, in any order and spelling, and no others", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(make().app)
      const found = yield* results(test, [
        ["/products/a?q=1&tag=x&tag=y"],
        ["/products/%61?tag=x&q=1&tag=y"],
        ["/products/a?tag=x&tag=y&q=%31&utm_source=1&Q=9"],
        ["/products/a?utm_source=2&q=1&tag=x&tag=y"],
        // Other values.
        ["/products/a?q=1&tag=y&tag=x"],
        ["/products/a?q=1&tag=x"],
        ["/products/a?q=1"],
        ["/products/a?q="],
        ["/products/a"],
        ["/products/a?tag=x"],
        ["/products/A"],
        ["/products/a%00"],
        ["/products/a%20"],
        ["/products/a+"],
        ["/products/a%2F"],
        ["/products/a%252F"],
        ["/products/a%3Fq=1"],
        ["/products/a;q=1"],
        ["/products/a.css"],
        ["/products/a;.css"]
      ])
      assert.deepStrictEqual(found, ["MISS", "HIT", "HIT", "HIT", ...Array(16).fill("MISS")])
    })
  )

  it.effect("cannot be that of another route or of another parameter", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(make().app)
      const found = yield* results(test, [
        ['/products/a?q="]]'],
        ["/products/a%22,%22b"],
        ['/products/a?q=1","tag'],
        ["/products/__proto__"],
        ["/products/constructor?constructor=2"],
        [`/products/${"x".repeat(99)}?q=${"y".repeat(2000)}`],
        [`/products/${"x".repeat(99)}?q=${"y".repeat(1999)}`]
      ])
      assert.deepStrictEqual(found, Array(7).fill("MISS"))
    })
  )

  it.effect("is no way around the route: other paths are not found", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(make().app)
      yield* test.get("/home")
      yield* test.get("/mine", as("token-of-ada-0000"))
      const found = yield* results(test, [
        ["/home/"],
        ["/Home"],
        ["/home;x"],
        ["/home.css"],
        ["/home/x.css"],
        ["/home%2f"],
        ["/home%00"],
        ["/mine/x.css"],
        ["/mine;x.css"]
      ])
      assert.deepStrictEqual(found, Array(9).fill(404))
      ;(yield* test.get("/mine")).expectProblem("UNAUTHENTICATED", 401)
    })
  )

  it.effect("lets a strict query be refused, whatever is stored", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(make({ server: { strictQuery: true } }).app)
      const found = yield* results(test, [["/home"], ["/home"], ["/home?x=1"], ["/home?x=1"]])
      assert.deepStrictEqual(found, ["MISS", "HIT", 400, 400])
    })
  )

  it.effect(
    "has every parameter if the contract takes all, and leaves __proto__ to be refused",
    () =>
      Effect.gen(function* () {
        const test = yield* TestApp.make(make().app)
        for (const path of ["/products/a", "/search"]) {
          yield* test.get(path)
          for (const query of ["__proto__=1", "__proto__=1&__proto__=2", "%5f_proto__=1&q=1"]) {
            const reply = yield* test.get(`${path}?${query}`)
            reply.expectProblem("MALFORMED_REQUEST", 400)
          }
        }
        const found = yield* results(test, [
          ["/search"],
          ["/search?constructor=1"],
          ["/search?constructor=2&toString=1"],
          ["/search?toString=1&constructor=2"],
          // Without a schema of the query there is nothing to refuse.
          ["/home"],
          ["/home?__proto__=1"]
        ])
        assert.deepStrictEqual(found, ["HIT", "MISS", "MISS", "HIT", "MISS", "HIT"])
      })
  )

  it.effect("ignores a range: the reply is whole", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(make().app)
      const whole = yield* test.get("/home", { headers: { ...whenever, range: "bytes=0-0" } })
      const again = yield* test.get("/home", {
        headers: { ...whenever, "if-range": '"x"', range: "bytes=1-1" }
      })
      again.expectStatus(200).expectHeader("x-cache", "HIT")
      assert.strictEqual(again.text, whole.text)
    })
  )
})
