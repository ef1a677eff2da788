/** Replies of middleware in the slot of CORS and of security headers, wherever their plugins are listed. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { App, Middleware, Plugin } from "flange"
import * as Cors from "flange/Cors"
import * as SecureHeaders from "flange/SecureHeaders"
import { TestApp } from "flange/Testing"
import * as Timeout from "flange/Timeout"

const Closed = Plugin.make("app:closed", {
  middleware: [
    Middleware.before("closed", {
      build: Effect.succeed(
        () => (request) =>
          request.header("x-closed") === undefined
            ? Middleware.pass
            : Effect.succeed(HttpServerResponse.empty({ status: 503 }))
      ),
      slot: "TransportSecurity"
    })
  ]
})

const allowed = "https://app.example.com"

const values = {
  cors: { origins: [allowed, "https://other.example"] },
  server: { trustedProxies: ["127.0.0.0/8", "::1/128"] },
  timeout: { callers: "any" }
}

const headers = { origin: allowed, "x-forwarded-proto": "https" }

describe.each(["node", "proxied"])("on the %s listener", (listener) => {
  const boot = TestApp.listening(
    App.make("shop", [Timeout.plugin, Closed, Cors.plugin, SecureHeaders.plugin]),
    { config: { ...values, server: { ...values.server, listener } } }
  )

  it.live(
    "a page can read the replies of plugins that are listed before, and has to use https",
    () =>
      Effect.gen(function* () {
        const test = yield* boot
        for (const [name, value, status] of [
          ["x-closed", "1", 503],
          ["x-request-timeout", "0", 504],
          ["x-request-timeout", "soon", 400]
        ] as const) {
          const reply = yield* test.get("/nowhere", { headers: { ...headers, [name]: value } })
          reply
            .expectStatus(status)
            .expectHeader("access-control-allow-origin", allowed)
            .expectHeader("strict-transport-security", /max-age/)
        }
      })
  )

  it.live("a preflight is answered before them", () =>
    Effect.gen(function* () {
      const test = yield* boot
      const asked = { "access-control-request-method": "PUT", "x-closed": "1" }
      const reply = yield* test.options("/nowhere", { headers: { ...headers, ...asked } })
      assert.isTrue(reply.expectStatus(204).headers.has("access-control-allow-methods"))
    })
  )
})
