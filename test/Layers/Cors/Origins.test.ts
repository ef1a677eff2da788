/** Patterns and predicates of origins, and what a preflight may ask. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { App, BodyLimit, Plugin, Route } from "flange"
import * as Cache from "flange/Cache"
import { ResponseCache } from "flange/Cache/Contract"
import * as Cors from "flange/Cors"
import { TestApp } from "flange/Testing"
import { Origins } from "../../../src/Layers/Cors/Origins.ts"

const allows = (pattern: string, origin: string) => new Origins([pattern], undefined).has(origin)

describe("a pattern", () => {
  const cases: ReadonlyArray<readonly [pattern: string, origin: string, allowed: boolean]> = [
    ["https://*.example.com", "https://app.example.com", true],
    ["https://*.example.com", "https://a.b.example.com", true],
    ["https://*.example.com", "https://xn--bcher-kva.example.com", true],
    ["https://*.example.com", "https://my_app.example.com", true],
    ["https://*.example.com", "https://example.com", false],
    ["https://*.example.com", "https://.example.com", false],
    ["https://*.example.com", "https://a..example.com", false],
    ["https://*.example.com", "https://evilexample.com", false],
    ["https://*.example.com", "https://evil.com#.example.com", false],
    ["https://*.example.com", "https://evil.com/.example.com", false],
    ["https://*.example.com", "https://evil.com?.example.com", false],
    ["https://*.example.com", "https://evil.com\\.example.com", false],
    ["https://*.example.com", "https://evil.com:443.example.com", false],
    ["https://*.example.com", "https://user@app.example.com", false],
    ["https://*.example.com", "https://a%2e.example.com", false],
    ["https://*.example.com", "https://app.example.com.evil.com", false],
    ["https://*.example.com", "https://app.example.com:8443", false],
    ["https://*.example.com", "https://appXexample.com", false],
    ["https://*.example.com", "https://app.exampleXcom", false],
    ["https://*.example.com", "https://App.example.com", false],
    ["https://*.example.com", "HTTPS://app.example.com", false],
    ["https://*.example.com", "http://app.example.com", false],
    ["https://*.example.com", "https://app.example.com ", false],
    ["https://*.example.com", "https://app.example.com\n", false],
    ["https://*.example.com", "https://evil.com, https://app.example.com", false],
    ["https://*.example.com", "https://bücher.example.com", false],
    ["https://*.example.com", "null", false],
    ["https://*.example.com", "", false],
    ["https://*.example.com:8443", "https://app.example.com:8443", true],
    ["https://*.example.com:8443", "https://app.example.com", false],
    ["https://*.example.com:*", "https://app.example.com:1", true],
    ["https://*.example.com:*", "https://app.example.com:123456", false],
    ["https://*.example.com:*", "https://app.example.com:80:80", false],
    ["http://localhost:*", "http://localhost", true],
    ["http://localhost:*", "http://localhost:5173", true],
    ["http://localhost:*", "http://localhost.evil.com:5173", false],
    ["http://localhost:*", "http://app.localhost:5173", false],
    ["http://*.localhost:*", "http://app.localhost:5173", true],
    ["http://[::1]:*", "http://[::1]:5173", true],
    ["http://[::1]:*", "http://:1:5173", false],
    ["https://*.a(b.com", "https://app.a(b.com", true],
    ["https://*.a$b.com", "https://app.a$b.com", true]
  ]
  it.each(cases)("%s matches %j: %j", (pattern, origin, allowed) => {
    assert.strictEqual(allows(pattern, origin), allowed)
  })

  it("is compared with a long origin in linear time", () => {
    for (const part of ["a.", "a", "."]) {
      assert.isFalse(allows("https://*.example.com", `https://${part.repeat(500_000)}!`))
    }
  })
})

const Text = Schema.String

class PagesApi extends HttpApiGroup.make("pages").add(
  HttpApiEndpoint.get("cached", "/cached", { success: Text }).annotate(
    ResponseCache,
    ResponseCache.public("1 minute")
  ),
  HttpApiEndpoint.post("create", "/pages", { payload: Text, success: Text }).annotate(BodyLimit, 10)
) {}

const Pages = Plugin.make("app:pages", {
  routes: [
    Route.public(PagesApi, (handlers) =>
      handlers.handleAll({
        cached: () => Effect.succeed("tea"),
        create: ({ payload }) => Effect.succeed(payload)
      })
    )
  ]
})

const pages = (cors: typeof Cors.plugin) => App.make("pages", [cors, Cache.plugin, Pages])

const app = pages(Cors.plugin)

const origin = "https://app.example.com"

const asking = (more: Record<string, string>) => ({
  headers: { "access-control-request-method": "PUT", origin, ...more }
})

const listening = (listener: string) => (at: typeof app, cors: Record<string, unknown>) =>
  TestApp.listening(at, { config: { cors, server: { listener } } })

const places = [
  [
    "in memory",
    (at: typeof app, cors: Record<string, unknown>) => TestApp.make(at, { config: { cors } })
  ],
  ["on the node listener", listening("node")],
  ["on the proxied listener", listening("proxied")]
] as const

describe.each(places)("CORS %s", (_place, boot) => {
  it.live("every reply to a pattern varies by Origin: without one, cached, 404, 405 and 413", () =>
    Effect.gen(function* () {
      const test = yield* boot(app, { origins: ["https://*.example.com"] })
      const long = { json: "x".repeat(100) }
      const stranger = { headers: { origin: "https://evil.com#.example.com" } }
      const replies = [
        [yield* test.get("/cached"), 200, null],
        [yield* test.get("/cached", { headers: { origin } }), 200, origin],
        [yield* test.get("/cached"), 200, null],
        [yield* test.get("/cached", stranger), 200, null],
        [yield* test.get("/nowhere", { headers: { origin } }), 404, origin],
        [yield* test.delete("/pages", { headers: { origin } }), 405, origin],
        [yield* test.post("/pages", { headers: { origin }, ...long }), 413, origin],
        [yield* test.post("/pages", long), 413, null],
        [yield* test.options("/nowhere", asking({})), 204, origin],
        [yield* test.options("/pages", asking({})), 204, origin],
        [yield* test.options("/pages", asking(stranger.headers)), 204, null]
      ] as const
      for (const [reply, status, allowed] of replies) {
        reply.expectStatus(status).expectHeader("vary", "Origin")
        assert.strictEqual(reply.headers.get("access-control-allow-origin"), allowed)
      }
    })
  )

  it.live("a predicate decides about other origins, and never about null", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const chosen = pages(
        Cors.withPredicate((origin) => {
          asked.push(origin)
          return origin === "https://shop.example"
        })
      )
      const test = yield* boot(chosen, { origins: ["https://app.example.com"] })
      for (const [sent, allowed] of [
        ["https://app.example.com", true],
        ["https://shop.example", true],
        ["https://other.example", false],
        ["null", false],
        ["https://shop.example/path", false]
      ] as const) {
        const reply = yield* test.get("/cached", { headers: { origin: sent } })
        reply.expectHeader("vary", "Origin")
        const named = reply.headers.get("access-control-allow-origin")
        assert.strictEqual(named, allowed ? sent : null)
      }
      assert.deepStrictEqual(asked, ["https://shop.example", "https://other.example"])
    })
  )

  it.live("a preflight may ask for any header if the app allows all", () =>
    Effect.gen(function* () {
      const test = yield* boot(app, { allowedHeaders: ["*"], credentials: true, origins: [origin] })
      for (const [asked, allowed] of [
        ["x-a,X-B , authorization", "x-a, X-B, authorization"],
        ["x-a", "x-a"],
        ["x-a, b c", null],
        [undefined, null]
      ] as const) {
        const more = asked === undefined ? {} : { "access-control-request-headers": asked }
        const reply = (yield* test.options("/pages", asking(more))).expectStatus(204)
        reply.expectHeader("vary", "Access-Control-Request-Headers")
        assert.strictEqual(reply.headers.get("access-control-allow-headers"), allowed)
      }
    })
  )

  it.live("a preflight of a private network is granted only if the app allows it", () =>
    Effect.gen(function* () {
      const network = "access-control-allow-private-network"
      const asked = asking({ "access-control-request-private-network": "true" })
      const open = yield* boot(app, { origins: [origin], privateNetwork: true })
      ;(yield* open.options("/pages", asked))
        .expectHeader(network, "true")
        .expectHeader("access-control-allow-methods", /PUT/)
        .expectHeader("vary", "Access-Control-Request-Private-Network")
      assert.isFalse((yield* open.options("/pages", asking({}))).headers.has(network))
      const stranger = { ...asked.headers, origin: "https://evil.example" }
      assert.isFalse((yield* open.options("/pages", { headers: stranger })).headers.has(network))
      const closed = yield* boot(app, { origins: [origin] })
      assert.isFalse((yield* closed.options("/pages", asked)).headers.has(network))
    })
  )
})
