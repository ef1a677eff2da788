import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { App, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"
import * as Cache from "flange/Cache"
import { ResponseCache } from "flange/Cache/Contract"
import * as OpenApi from "flange/OpenApi"
import { TestApp } from "flange/Testing"

const AuthPlugin = Auth.plugin({ default: Auth.chain([], { unauthenticated: "anonymous" }) })

class Tenant extends HttpApiMiddleware.Service<Tenant>()("app/Tenant") {}

const TenantPlugin = Plugin.make("app:tenant", {
  layer: Layer.succeed(Tenant, (next) => next),
  provides: [Tenant]
})

const shared = ResponseCache.public("10 seconds")
const own = ResponseCache.perIdentity("10 seconds")
const ok = () => Effect.void
const read = HttpApiEndpoint.get("read", "/read")

const groupOf = <E extends HttpApiEndpoint.Constraint>(endpoint: E) =>
  HttpApiGroup.make("pages").add(endpoint)

const messages = (app: App.Any) =>
  Effect.map(Effect.flip(TestApp.make(app as never)), (error) => String((error as Error).message))

describe("an app is refused if it", () => {
  it.effect("shares replies for callers, or keeps replies for nobody", () =>
    Effect.gen(function* () {
      const Shared = groupOf(read.annotate(ResponseCache, shared))
      const Own = groupOf(read.annotate(ResponseCache, own))
      const cases = [
        [
          Route.protected(Shared, (h) => h.handleAll({ read: ok })),
          "Write ResponseCache.perIdentity."
        ],
        [
          Route.optional(Shared, (h) => h.handleAll({ read: ok })),
          "Write ResponseCache.perIdentity."
        ],
        [
          Route.public(Own, (h) => h.handleAll({ read: ok })),
          "Write ResponseCache.public, or Route.protected."
        ],
        [
          Route.bare(Shared, (h) => h.handleAll({ read: ok })),
          "Write Route.public, or remove the annotation."
        ]
      ] as const
      for (const [route, advice] of cases) {
        const Pages = Plugin.make("app:pages", { routes: [route] })
        const message = yield* messages(App.make("shop", [Cache.plugin, AuthPlugin, Pages]))
        assert.include(
          message,
          'UncacheableReply: GET /read ("read" of group "pages", plugin "app:pages") has ResponseCache'
        )
        assert.include(message, advice)
      }
    })
  )

  it.effect("caches a POST, every header, or what unknown middleware may decide", () =>
    Effect.gen(function* () {
      const handlers = (h: { handleAll: (all: object) => unknown }) => h.handleAll({ read: ok })
      const cases = [
        [
          groupOf(HttpApiEndpoint.post("read", "/read").annotate(ResponseCache, shared)),
          "only replies to GET and HEAD can be cached. Remove the annotation."
        ],
        [
          groupOf(
            HttpApiEndpoint.get("read", "/read", {
              headers: Schema.Record(Schema.String, Schema.String)
            }).annotate(ResponseCache, shared)
          ),
          "Name the headers in the contract"
        ],
        [
          groupOf(read.annotate(ResponseCache, shared).middleware(Tenant)),
          'the middleware "app/Tenant" of its contract'
        ]
      ] as const
      for (const [group, advice] of cases) {
        const Pages = Plugin.make("app:pages", {
          requires: [Tenant],
          routes: [Route.public(group as never, handlers as never)]
        } as never)
        const message = yield* messages(
          App.make("shop", [Cache.plugin, Pages as never, TenantPlugin])
        )
        assert.include(message, advice)
      }
      const named = groupOf(
        read.annotate(ResponseCache, shared.varyBy("x-tenant")).middleware(Tenant)
      )
      const Pages = Plugin.make("app:pages", {
        requires: [Tenant],
        routes: [Route.public(named, (h) => h.handleAll({ read: ok }))]
      })
      yield* TestApp.make(App.make("shop", [Cache.plugin, Pages, TenantPlugin]))
    })
  )
})

describe("a policy", () => {
  it("is refused with what to write", () => {
    assert.throws(() => shared.varyBy("Authorization"), /Write ResponseCache.perIdentity/)
    for (const name of ["*", "", "a b", "accept, cookie"]) {
      assert.throws(() => shared.varyBy(name), /is no name of a header/)
    }
    for (const ttl of [0, -1, Infinity, "0 seconds"] as const) {
      assert.throws(() => ResponseCache.public(ttl), /cannot be cached for/)
    }
  })

  it("is data", () => {
    const policy = shared.varyBy("B", "a").varyBy("b").statuses(410, 204).tags("x").tags(7)
    assert.deepStrictEqual(policy.rules, {
      headers: ["a", "b"],
      sharing: "public",
      statuses: [200, 204, 410],
      tags: ["x", 7],
      ttl: 10_000
    })
    assert.deepStrictEqual(shared.rules.headers, [])
  })
})

describe("a cached route", () => {
  it.effect("is shown by the table of routes, the description and OpenAPI", () =>
    Effect.gen(function* () {
      const Pages = Plugin.make("app:pages", {
        routes: [
          Route.public(
            groupOf(read.annotate(ResponseCache, shared.statuses(204).varyBy("accept-language"))),
            (h) => h.handleAll({ read: ok })
          )
        ]
      })
      const app = App.make("shop", [Cache.plugin, OpenApi.plugin, Pages])
      const route = App.describe(app).routes.find(({ name }) => name === "pages.read")!
      assert.deepStrictEqual(route.cache, {
        sharing: "public",
        ttl: 10_000,
        varyBy: ["accept-language"]
      })
      assert.include(App.routesTable(App.describe(app)), "cache public 10s by accept-language")
      const test = yield* TestApp.make(app)
      const document = (yield* test.get("/openapi.json")).json as {
        paths: { "/read": { get: { responses: { 204: { headers: object } } } } }
      }
      assert.containsAllKeys(document.paths["/read"].get.responses[204].headers, [
        "age",
        "cache-control",
        "etag",
        "last-modified",
        "x-cache"
      ])
      for (const result of ["MISS", "HIT"]) {
        ;(yield* test.get("/read")).expectStatus(204).expectHeader("x-cache", result)
      }
    })
  )
})
