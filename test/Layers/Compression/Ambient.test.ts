/** Replies to callers whom the middleware of a contract knows by credentials that browsers add. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { App, Plugin, Route } from "flange"
import * as Compression from "flange/Compression"
import { TestApp } from "flange/Testing"
import { textOf } from "./fixtures.ts"

const Text = Schema.String

const schemes = {
  apiKey: HttpApiSecurity.apiKey({ in: "header", key: "Authorization" }),
  basic: HttpApiSecurity.basic,
  bearer: HttpApiSecurity.bearer,
  cookie: HttpApiSecurity.apiKey({ in: "cookie", key: "session" }),
  digest: HttpApiSecurity.http({ scheme: "Digest" }),
  httpBasic: HttpApiSecurity.http({ scheme: "Basic" }),
  ownHeader: HttpApiSecurity.apiKey({ in: "header", key: "X-Api-Key" }),
  wholeCookie: HttpApiSecurity.apiKey({ in: "header", key: "Cookie" })
}

const boot = (security: HttpApiSecurity.HttpApiSecurity) => {
  class Known extends HttpApiMiddleware.Service<Known>()("app/Known", { security: { security } }) {}
  class MineApi extends HttpApiGroup.make("mine")
    .add(HttpApiEndpoint.get("mine", "/mine", { success: Text }))
    .middleware(Known) {}
  const Mine = Plugin.make("app:mine", {
    layer: Layer.succeed(Known, { security: (next) => next }),
    provides: [Known],
    routes: [
      Route.public(MineApi, (handlers) =>
        handlers.handleAll({ mine: () => Effect.succeed(textOf(3000)) })
      )
    ]
  })
  return TestApp.make(App.make("mine", [Compression.plugin, Mine]))
}

describe("a reply to a caller known by", () => {
  const cases: ReadonlyArray<readonly [keyof typeof schemes, Record<string, string>, boolean]> = [
    ["apiKey", { authorization: "Basic YTpi" }, false],
    ["basic", { authorization: "Basic YTpi" }, false],
    ["bearer", { authorization: "Bearer token" }, true],
    ["cookie", { cookie: "session=token" }, false],
    ["digest", { authorization: 'Digest username="a"' }, false],
    ["httpBasic", { authorization: "Basic YTpi" }, false],
    ["ownHeader", { "x-api-key": "key" }, true],
    ["wholeCookie", { cookie: "session=token" }, false]
  ]
  it.live.each(cases)("%s with %j is compressed: %j", ([scheme, headers, isCompressed]) =>
    Effect.gen(function* () {
      const test = yield* boot(schemes[scheme])
      const reply = yield* test.get("/mine", { headers: { ...headers, "accept-encoding": "gzip" } })
      reply.expectStatus(200).expectHeader("vary", "Accept-Encoding")
      assert.strictEqual(reply.headers.has("content-encoding"), isCompressed)
    })
  )
})
