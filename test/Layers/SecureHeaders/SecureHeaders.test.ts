import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import { App, AssemblyError, Config, Plugin, Route } from "flange"
import * as OpenApi from "flange/OpenApi"
import * as SecureHeaders from "flange/SecureHeaders"
import { SecurityHeaders } from "flange/SecureHeaders/Contract"
import { TestApp } from "flange/Testing"

class ShopApi extends HttpApiGroup.make("shop").add(
  HttpApiEndpoint.get("broken", "/broken", { success: Schema.String }),
  HttpApiEndpoint.get("read", "/shop", { success: Schema.String })
) {}

class AliveApi extends HttpApiGroup.make("alive").add(HttpApiEndpoint.get("alive", "/alive")) {}

const page = HttpRouter.add(
  "GET",
  "/page",
  HttpServerResponse.text("<p>", { headers: { "content-security-policy": "default-src 'none'" } })
)

const Shop = Plugin.make("app:shop", {
  routes: [
    Route.public(ShopApi, (handlers) =>
      handlers.handleAll({ broken: () => Effect.die("broken"), read: () => Effect.succeed("tea") })
    ),
    Route.bare(AliveApi, (handlers) => handlers.handleAll({ alive: () => Effect.void })),
    Route.raw("page", page, { access: "public" })
  ]
})

const app = App.make("shop", [SecureHeaders.plugin, OpenApi.plugin, Shop])

/**
 * What helmet 8 sends over http by default, but for Referrer-Policy. With
 * `no-referrer`, browsers send the forms of the app's own pages with `Origin: null`.
 */
const helmet = {
  "content-security-policy":
    "default-src 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';frame-ancestors 'self';img-src 'self' data:;object-src 'none';script-src 'self';script-src-attr 'none';style-src 'self' https: 'unsafe-inline';upgrade-insecure-requests",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "origin-agent-cluster": "?1",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "x-dns-prefetch-control": "off",
  "x-download-options": "noopen",
  "x-frame-options": "SAMEORIGIN",
  "x-permitted-cross-domain-policies": "none",
  "x-xss-protection": "0"
}

const places = [
  ["in memory", TestApp.make],
  ["through a socket", TestApp.listening]
] as const

describe.each(places)("secure headers %s", (_place, boot) => {
  it.live("are those of helmet, on values, problems and unknown paths", () =>
    Effect.gen(function* () {
      const test = yield* boot(app)
      for (const [path, status] of [
        ["/shop", 200],
        ["/broken", 500],
        ["/nowhere", 404]
      ] as const) {
        const reply = (yield* test.get(path)).expectStatus(status)
        for (const [name, value] of Object.entries(helmet)) reply.expectHeader(name, value)
        assert.isFalse(reply.headers.has("strict-transport-security"))
      }
    })
  )

  it.live("leave what a handler sets itself, and bare routes alone", () =>
    Effect.gen(function* () {
      const test = yield* boot(app)
      const own = yield* test.get("/page")
      own.expectHeader("content-security-policy", "default-src 'none'")
      own.expectHeader("x-frame-options", "SAMEORIGIN")
      const alive = yield* test.get("/alive")
      assert.isFalse(alive.headers.has("x-content-type-options"))
    })
  )

  it.live("leave the pages of OpenAPI the policy that they need", () =>
    Effect.gen(function* () {
      const test = yield* boot(app)
      for (const path of ["/docs", "/swagger-ui/"]) {
        const reply = (yield* test.get(path)).expectStatus(200)
        reply.expectHeader("content-security-policy", /'unsafe-inline' blob:/)
        reply.expectHeader("x-content-type-options", "nosniff")
      }
    })
  )
})

describe("the section secureHeaders", () => {
  it.live("changes, adds and leaves out headers", () =>
    Effect.gen(function* () {
      const secureHeaders = {
        contentSecurityPolicy: "",
        headers: {
          "permissions-policy": "camera=()",
          "x-frame-options": "DENY",
          "x-xss-protection": ""
        }
      }
      const test = yield* TestApp.make(app, { config: { secureHeaders } })
      const reply = yield* test.get("/shop")
      assert.isFalse(reply.headers.has("content-security-policy"))
      assert.isFalse(reply.headers.has("x-xss-protection"))
      reply
        .expectHeader("permissions-policy", "camera=()")
        .expectHeader("referrer-policy", "same-origin")
        .expectHeader("x-frame-options", "DENY")
    })
  )

  it.live("a variable replaces a default header, and does not send another one beside it", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app, {
        variables: { FLANGE__SECURE_HEADERS__HEADERS__X_FRAME_OPTIONS: "DENY" }
      })
      const reply = yield* test.get("/shop")
      reply.expectHeader("x-frame-options", "DENY")
      assert.isFalse(reply.headers.has("x_frame_options"))
    })
  )

  it.live("a variable with a new header is refused, because it has no hyphens", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        TestApp.make(app, {
          variables: { FLANGE__SECURE_HEADERS__HEADERS__PERMISSIONS_POLICY: "camera=()" }
        })
      )
      assert.instanceOf(error, Config.ConfigError)
      assert.include(error.message, "write the object in FLANGE__SECURE_HEADERS__HEADERS as JSON")
    })
  )

  const wrong: ReadonlyArray<readonly [values: object, key: string]> = [
    [{ contentSecurityPolicy: "a\r\nset-cookie: b" }, "secureHeaders.contentSecurityPolicy"],
    [{ headers: { "x-a": "b\nc" } }, "secureHeaders.headers.x-a"],
    [{ hsts: "on" }, "secureHeaders.hsts"]
  ]
  for (const [secureHeaders, key] of wrong) {
    it.live(`refuses ${JSON.stringify(secureHeaders)}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(TestApp.make(app, { config: { secureHeaders } }))
        assert.instanceOf(error, Config.ConfigError)
        assert.include(
          error.problems.map((problem) => problem.key),
          key
        )
      })
    )
  }

  for (const [headers, text] of [
    [{ "x a": "b" }, 'Field name "x a" is not a token.'],
    [
      { "content-security-policy": "a\n'nonce-{nonce}'" },
      "The value of field content-security-policy"
    ]
  ] as const) {
    it.live(`refuses the annotation ${JSON.stringify(headers)}`, () =>
      Effect.gen(function* () {
        class WrongApi extends HttpApiGroup.make("wrong")
          .add(HttpApiEndpoint.get("read", "/wrong"))
          .annotate(SecurityHeaders, headers) {}
        const Wrong = Plugin.make("app:wrong", {
          routes: [
            Route.public(WrongApi, (handlers) => handlers.handleAll({ read: () => Effect.void }))
          ]
        })
        const error = yield* Effect.flip(
          TestApp.make(App.make("wrong", [SecureHeaders.plugin, Wrong]))
        )
        assert.instanceOf(error, AssemblyError)
        assert.include(error.message, "InvalidHeader: GET /wrong")
        assert.include(error.message, text)
      })
    )
  }

  it.live("refuses a header name that is none", () =>
    Effect.gen(function* () {
      const secureHeaders = { headers: { "X Frame": "DENY" } }
      const error = yield* Effect.flip(TestApp.make(app, { config: { secureHeaders } }))
      assert.instanceOf(error, Config.ConfigError)
      assert.include(error.message, "X Frame")
    })
  )
})
