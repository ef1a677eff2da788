/** Nonces, transport security and overrides by annotation, on every listener. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { App, Middleware, Plugin, Route } from "flange"
import * as Cache from "flange/Cache"
import { ResponseCache } from "flange/Cache/Contract"
import * as SecureHeaders from "flange/SecureHeaders"
import { SecurityHeaders } from "flange/SecureHeaders/Contract"
import { TestApp } from "flange/Testing"

const Text = Schema.String

class PagesApi extends HttpApiGroup.make("pages")
  .add(
    HttpApiEndpoint.get("cached", "/cached", { success: Text }).annotate(
      ResponseCache,
      ResponseCache.public("1 minute")
    ),
    HttpApiEndpoint.get("none", "/none", { success: Text }).annotate(SecurityHeaders, false),
    HttpApiEndpoint.get("own", "/own", { success: Text }).annotate(SecurityHeaders, {
      "Cross-Origin-Resource-Policy": "cross-origin",
      "content-security-policy": "style-src 'nonce-{nonce}'",
      "strict-transport-security": "max-age=60",
      "x-frame-options": ""
    }),
    HttpApiEndpoint.get("read", "/read", { success: Text })
  )
  .annotate(SecurityHeaders, { "x-frame-options": "DENY" }) {}

const page = Effect.map(SecureHeaders.nonce, (nonce) => HttpServerResponse.text(nonce))

const own = HttpServerResponse.text("own", {
  headers: { "content-security-policy": "default-src 'none'" }
})

const Pages = Plugin.make("app:pages", {
  routes: [
    Route.public(PagesApi, (handlers) =>
      handlers.handleAll({
        cached: () => SecureHeaders.nonce,
        none: () => Effect.succeed("none"),
        own: () => SecureHeaders.nonce,
        read: () => SecureHeaders.nonce
      })
    ),
    Route.raw(
      "raw",
      Layer.merge(HttpRouter.add("GET", "/raw", page), HttpRouter.add("GET", "/policy", own)),
      { access: "public" }
    )
  ]
})

const unpin = HttpServerResponse.setHeader("strict-transport-security", "max-age=0")

class UnpinnedApi extends HttpApiGroup.make("unpinned").add(
  HttpApiEndpoint.get("none", "/unpinned/none", { success: Text }),
  HttpApiEndpoint.get("stream", "/unpinned/stream", { success: Text }),
  HttpApiEndpoint.get("text", "/unpinned/text", { success: Text })
) {}

/** Its replies have the header themselves, except one. */
const Unpinned = Plugin.make("app:unpinned", {
  routes: [
    Route.public(UnpinnedApi, (handlers) =>
      handlers.handleAll({
        none: () => Effect.succeed("none"),
        stream: () =>
          Effect.succeed(unpin(HttpServerResponse.stream(Stream.make(new Uint8Array(1))))),
        text: () => Effect.succeed(unpin(HttpServerResponse.text("text")))
      })
    ),
    Route.raw(
      "raw",
      HttpRouter.add("GET", "/unpinned/raw", unpin(HttpServerResponse.text("raw"))),
      {
        access: "public"
      }
    )
  ]
})

/** With it, what is inside runs in a fiber. */
const Fibers = Plugin.make("app:fibers", {
  middleware: [
    Middleware.make("fibers", {
      build: Effect.succeed(() => (next) => next),
      slot: "TransportSecurity"
    })
  ]
})

const app = App.make("pages", [SecureHeaders.plugin, Cache.plugin, Pages])
const inFibers = App.make("pages", [Fibers, SecureHeaders.plugin, Cache.plugin, Pages])

/** Boots an app whose requests have the scheme of their URL, whatever listener the run is for. */
const inMemory = (at: App.Any) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => App.toWebHandler(at)),
      (web) => Effect.promise(() => web.dispose())
    ),
    (web) => (url: string) => Effect.promise(() => web.handler(new Request(url)))
  )

type Config = Readonly<Record<string, unknown>>

const listening = (listener: string) => (at: typeof app, server: Config, secureHeaders: Config) =>
  TestApp.listening(at, { config: { secureHeaders, server: { listener, ...server } } })

const places = [
  [
    "in memory",
    (at: typeof app, server: Config, secureHeaders: Config) =>
      TestApp.make(at, { config: { secureHeaders, server } })
  ],
  ["on the node listener", listening("node")],
  ["on the proxied listener", listening("proxied")]
] as const

const withNonce = { contentSecurityPolicy: "script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'" }

const nonceOf = (policy: string | null): string =>
  /^script-src 'nonce-([^']+)'; style-src 'nonce-\1'$/.exec(policy ?? "")![1]!

describe.each(places)("secure headers %s", (_place, boot) => {
  for (const [name, at] of [
    ["without a fiber", app],
    ["in a fiber", inFibers]
  ] as const) {
    it.live(`each reply has a nonce of its own, which the handler reads ${name}`, () =>
      Effect.gen(function* () {
        const test = yield* boot(at, {}, withNonce)
        const seen = new Set<string>()
        for (const path of ["/read", "/raw", "/read", "/raw", "/nowhere", "/nowhere"]) {
          const reply = yield* test.get(path)
          const nonce = nonceOf(reply.headers.get("content-security-policy"))
          assert.strictEqual(Buffer.from(nonce, "base64").length, 16)
          if (path === "/raw") assert.strictEqual(reply.text, nonce)
          if (path === "/read") reply.expectJson(nonce)
          seen.add(nonce)
        }
        assert.strictEqual(seen.size, 6)
      })
    )
  }

  it.live("a stored page never gets its nonce again, and a 304 has no policy", () =>
    Effect.gen(function* () {
      const test = yield* boot(app, {}, withNonce)
      const first = yield* test.get("/cached")
      const second = yield* test.get("/cached")
      assert.strictEqual(second.text, first.text)
      assert.notStrictEqual(
        nonceOf(first.headers.get("content-security-policy")),
        nonceOf(second.headers.get("content-security-policy"))
      )
      const etag = first.headers.get("etag")!
      // Without it, the client of the test asks for a new reply.
      const conditions = { "cache-control": "max-age=60", "if-none-match": etag }
      const known = yield* test.get("/cached", { headers: conditions })
      known.expectStatus(304)
      assert.isFalse(known.headers.has("content-security-policy"))
    })
  )

  it.live("a policy of the handler is kept", () =>
    Effect.gen(function* () {
      const test = yield* boot(app, {}, withNonce)
      const reply = yield* test.get("/policy")
      reply.expectHeader("content-security-policy", "default-src 'none'")
    })
  )

  it.live("the nearest annotation changes the headers of a route", () =>
    Effect.gen(function* () {
      const test = yield* boot(app, {}, {})
      const own = yield* test.get("/own")
      own
        .expectHeader("content-security-policy", /^style-src 'nonce-[^']{24}'$/)
        .expectHeader("cross-origin-resource-policy", "cross-origin")
        .expectHeader("x-content-type-options", "nosniff")
      assert.isFalse(own.headers.has("x-frame-options"))
      const read = yield* test.get("/read")
      read.expectHeader("x-frame-options", "DENY").expectHeader("referrer-policy", "same-origin")
      const none = yield* test.get("/none")
      for (const name of ["content-security-policy", "x-content-type-options", "x-frame-options"]) {
        assert.isFalse(none.headers.has(name))
      }
    })
  )
})

describe("Strict-Transport-Security", () => {
  const hsts = "strict-transport-security"
  const value = "max-age=31536000; includeSubDomains"

  it.live("is sent if the connection is encrypted", () =>
    Effect.gen(function* () {
      const ask = yield* inMemory(app)
      assert.strictEqual((yield* ask("https://app/read")).headers.get(hsts), value)
      assert.strictEqual((yield* ask("https://app/nowhere")).headers.get(hsts), value)
      assert.strictEqual((yield* ask("https://app/own")).headers.get(hsts), "max-age=60")
      for (const url of ["http://app/read", "https://app/none"]) {
        assert.isNull((yield* ask(url)).headers.get(hsts), url)
      }
      const configured = (text: string) => {
        const config = { values: { secureHeaders: { hsts: text } } }
        return inMemory(App.make("pages", [SecureHeaders.plugin, Cache.plugin, Pages], { config }))
      }
      const off = yield* configured("")
      assert.isNull((yield* off("https://app/read")).headers.get(hsts))
      const own = yield* configured("max-age=60; preload")
      assert.strictEqual((yield* own("https://app/read")).headers.get(hsts), "max-age=60; preload")
    })
  )

  it.live("is that of the handler if it sets one, with and without a transform of the reply", () =>
    Effect.gen(function* () {
      const config = (contentSecurityPolicy: string) => ({
        values: { secureHeaders: { contentSecurityPolicy } }
      })
      for (const policy of ["default-src 'self'", "script-src 'nonce-{nonce}'"]) {
        const ask = yield* inMemory(
          App.make("pages", [SecureHeaders.plugin, Unpinned], { config: config(policy) })
        )
        for (const path of ["/raw", "/stream", "/text"]) {
          const reply = yield* ask(`https://app/unpinned${path}`)
          assert.strictEqual(reply.headers.get(hsts), "max-age=0", path)
          yield* Effect.promise(() => reply.arrayBuffer())
        }
        const others = yield* ask("https://app/unpinned/none")
        assert.strictEqual(others.headers.get(hsts), value)
      }
    })
  )

  for (const listener of ["node", "proxied"]) {
    it.live(`is sent on the ${listener} listener if a trusted proxy says https`, () =>
      Effect.gen(function* () {
        const trusted = { listener, trustedProxies: ["127.0.0.0/8", "::1/128"] }
        const behind = yield* TestApp.listening(app, { config: { server: trusted } })
        for (const [headers, sent] of [
          [{ "x-forwarded-proto": "https" }, true],
          [{ "x-forwarded-proto": "HTTPS, http" }, true],
          [{ forwarded: "for=192.0.2.1;proto=https" }, true],
          [{ "x-forwarded-proto": "http, https" }, false],
          [{ "x-forwarded-proto": "httpsx" }, false],
          [{}, false]
        ] as const) {
          const reply = yield* behind.get("/read", { headers })
          assert.strictEqual(reply.headers.get(hsts), sent ? value : null, JSON.stringify(headers))
        }
        const alone = yield* TestApp.listening(app, { config: { server: { listener } } })
        const spoofed = yield* alone.get("/read", { headers: { "x-forwarded-proto": "https" } })
        assert.isFalse(spoofed.headers.has(hsts))
      })
    )
  }
})

it("a nonce outside of a request is a defect that says where to read it", async () => {
  const exit = await Effect.runPromiseExit(SecureHeaders.nonce)
  assert.include(String(exit), "Read it in a handler")
})
