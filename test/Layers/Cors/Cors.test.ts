import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import { App, Config, Middleware, Plugin, Route } from "flange"
import { MockAuth } from "flange/Auth/Testing"
import * as Cors from "flange/Cors"
import { TestApp } from "flange/Testing"
import type { TestResponse } from "flange/Testing"

class ShopApi extends HttpApiGroup.make("shop").add(
  HttpApiEndpoint.options("ask", "/ask", { success: Schema.String }),
  HttpApiEndpoint.get("broken", "/broken", { success: Schema.String }),
  HttpApiEndpoint.post("create", "/shop/:id", { params: { id: Schema.Int } }),
  HttpApiEndpoint.get("read", "/shop/:id", {
    params: { id: Schema.Int },
    success: Schema.String
  })
) {}

class SecretApi extends HttpApiGroup.make("secret").add(
  HttpApiEndpoint.get("read", "/secret", { success: Schema.String })
) {}

const varying = HttpRouter.add(
  "GET",
  "/varying",
  HttpServerResponse.text("tea", { headers: { vary: "Accept" } })
)

const Shop = Plugin.make("app:shop", {
  routes: [
    Route.public(ShopApi, (handlers) =>
      handlers.handleAll({
        ask: () => Effect.succeed("asked"),
        broken: () => Effect.die("broken"),
        create: () => Effect.void,
        read: () => Effect.succeed("tea")
      })
    ),
    Route.protected(SecretApi, (handlers) =>
      handlers.handleAll({ read: () => Effect.succeed("hidden") })
    ),
    Route.raw("varying", varying, { access: "public" })
  ]
})

const app = App.make("shop", [Cors.plugin, MockAuth.anonymous(), Shop])

const one = "https://app.example.com"
const two = "https://admin.example.com"
const stranger = "https://evil.example"

const from = (origin: string, more: Record<string, string> = {}) => ({
  headers: { origin, ...more }
})

const asking = (origin: string) => from(origin, { "access-control-request-method": "POST" })

const allowedOrigin = ({ headers }: TestResponse) => headers.get("access-control-allow-origin")

const places = [
  ["in memory", TestApp.make],
  ["through a socket", TestApp.listening]
] as const

/** Every way to be answered, with the status. */
const paths = [
  ["/shop/1", 200],
  ["/shop/one", 400],
  ["/secret", 401],
  ["/nowhere", 404],
  ["/broken", 500]
] as const

describe.each(places)("CORS %s", (_place, boot) => {
  it.live("allows no origin by default", () =>
    Effect.gen(function* () {
      const test = yield* boot(app)
      for (const [path, status] of paths) {
        const reply = (yield* test.get(path, from(one))).expectStatus(status)
        assert.isNull(allowedOrigin(reply))
      }
      const preflight = (yield* test.options("/shop/1", asking(one))).expectStatus(204)
      assert.isNull(allowedOrigin(preflight))
      assert.isFalse(preflight.headers.has("access-control-allow-methods"))
    })
  )

  it.live("names a single origin on every reply, problems included, and sends no Vary", () =>
    Effect.gen(function* () {
      const test = yield* boot(app, { config: { cors: { credentials: true, origins: [one] } } })
      for (const [path, status] of paths) {
        for (const origin of [one, stranger]) {
          const reply = (yield* test.get(path, from(origin))).expectStatus(status)
          reply
            .expectHeader("access-control-allow-credentials", "true")
            .expectHeader("access-control-allow-origin", one)
            .expectHeader("access-control-expose-headers", "retry-after, x-request-id")
          assert.isFalse(reply.headers.has("vary"))
        }
      }
    })
  )

  it.live("names the origin of the request if it is one of several, and varies by it", () =>
    Effect.gen(function* () {
      const test = yield* boot(app, {
        config: { cors: { credentials: true, origins: [one, two] } }
      })
      for (const [path, status] of paths) {
        for (const origin of [one, two]) {
          const reply = (yield* test.get(path, from(origin))).expectStatus(status)
          reply
            .expectHeader("access-control-allow-credentials", "true")
            .expectHeader("access-control-allow-origin", origin)
            .expectHeader("vary", "Origin")
        }
        for (const options of [from(stranger), from("null"), {}]) {
          const reply = (yield* test.get(path, options)).expectStatus(status)
          assert.isNull(allowedOrigin(reply))
          assert.isFalse(reply.headers.has("access-control-allow-credentials"))
          reply.expectHeader("vary", "Origin")
        }
      }
      const reply = yield* test.get("/varying", from(one))
      reply.expectHeader("vary", "Accept, Origin")
    })
  )

  for (const origins of [[one], [one, two]]) {
    it.live(
      `answers preflights for ${origins.length} origins with 204 and the allowed methods`,
      () =>
        Effect.gen(function* () {
          const test = yield* boot(app, { config: { cors: { maxAge: "1 hour", origins } } })
          for (const path of ["/shop/1", "/secret", "/nowhere", "/ask"]) {
            const reply = (yield* test.options(path, asking(one))).expectStatus(204)
            reply
              .expectHeader("access-control-allow-headers", "authorization, content-type")
              .expectHeader("access-control-allow-methods", "GET, HEAD, PUT, PATCH, POST, DELETE")
              .expectHeader("access-control-allow-origin", one)
              .expectHeader("access-control-max-age", "3600")
            assert.strictEqual(reply.text, "")
            const refused = (yield* test.options(path, asking(stranger))).expectStatus(204)
            assert.notStrictEqual(allowedOrigin(refused), stranger)
            assert.isFalse(refused.headers.has("access-control-allow-methods"))
          }
        })
    )
  }

  it.live("passes an OPTIONS that is not a preflight to the route, or to the Allow reply", () =>
    Effect.gen(function* () {
      const test = yield* boot(app, { config: { cors: { origins: [one, two] } } })
      const asked = (yield* test.options("/ask", from(one))).expectStatus(200)
      asked.expectJson("asked").expectHeader("access-control-allow-origin", one)
      const allow = (yield* test.options("/shop/1")).expectStatus(204)
      allow.expectHeader("allow", "GET, HEAD, OPTIONS, POST")
    })
  )

  it.live("allows every origin with *", () =>
    Effect.gen(function* () {
      const test = yield* boot(app, { config: { cors: { openToAll: true, origins: ["*"] } } })
      ;(yield* test.get("/shop/1", from(stranger))).expectHeader("access-control-allow-origin", "*")
      const preflight = yield* test.options("/shop/1", asking(stranger))
      preflight
        .expectHeader("access-control-allow-methods", /POST/)
        .expectHeader("access-control-allow-origin", "*")
    })
  )
})

it.effect("pages can read what middleware of a plugin in front of Cors.plugin answers", () =>
  Effect.gen(function* () {
    const closed = Middleware.before("closed", {
      build: Effect.succeed(
        () => () => Effect.succeed(HttpServerResponse.text("closed", { status: 503 }))
      ),
      slot: "TransportSecurity"
    })
    const Closed = Plugin.make("app:closed", { middleware: [closed] })
    const test = yield* TestApp.make(App.make("shop", [Closed, Cors.plugin]), {
      config: { cors: { origins: [one, two] } }
    })
    ;(yield* test.get("/shop/1", from(two)))
      .expectStatus(503)
      .expectHeader("access-control-allow-origin", two)
  })
)

describe("the section cors", () => {
  const wrong: ReadonlyArray<readonly [cors: object, key: string]> = [
    [{ credentials: true, openToAll: true, origins: ["*"] }, "cors.credentials"],
    [{ openToAll: true, origins: ["*", one] }, "cors.origins"],
    [{ origins: ["app.example.com"] }, "cors.origins.0"],
    [{ origins: [`${one}/`] }, "cors.origins.0"],
    [{ origins: ["https://App.example.com"] }, "cors.origins.0"],
    [{ origins: ["https://app.example.com:443"] }, "cors.origins.0"],
    [{ allowedHeaders: ["*", "x-a"] }, "cors.allowedHeaders"],
    [{ credentials: true, exposedHeaders: ["*"], origins: [one] }, "cors.exposedHeaders"],
    [{ openToAll: true, origins: ["*"], privateNetwork: true }, "cors.privateNetwork"],
    [{ origins: ["https://*"] }, "cors.origins.0"],
    [{ origins: ["https://*.*.example.com"] }, "cors.origins.0"],
    [{ origins: ["https://*.com"] }, "cors.origins.0"],
    [{ origins: ["https://*.example.com:443"] }, "cors.origins.0"],
    [{ origins: ["https://*app.example.com"] }, "cors.origins.0"],
    [{ origins: ["https://app.*.com"] }, "cors.origins.0"],
    [{ origins: ["https://bücher.example"] }, "cors.origins.0"],
    [{ origins: ["null"] }, "cors.origins.0"],
    [{ maxAge: "Infinity" }, "cors.maxAge"],
    [{ maxAge: 1e300 }, "cors.maxAge"],
    [{ methods: ["GET, POST"] }, "cors.methods.0"],
    [{ methods: ["GET", "put"] }, "cors.methods.1"],
    [{ methods: ["Patch"] }, "cors.methods.0"]
  ]
  for (const [cors, key] of wrong) {
    it.live(`refuses ${JSON.stringify(cors)}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(TestApp.make(app, { config: { cors } }))
        assert.instanceOf(error, Config.ConfigError)
        assert.deepStrictEqual(
          error.problems.map((problem) => problem.key),
          [key]
        )
      })
    )
  }

  it.live("names the standard method that a method in lower case stands for", () =>
    Effect.gen(function* () {
      const config = { cors: { methods: ["put"] } }
      const error = yield* Effect.flip(TestApp.make(app, { config }))
      assert.include(error.message, '"PUT"')
      assert.include(error.message, "case-sensitive")
    })
  )

  it.live("accepts methods of the app's own in any case", () =>
    Effect.gen(function* () {
      const cors = { methods: ["GET", "PURGE", "x-Archive"], origins: [one] }
      const test = yield* TestApp.make(app, { config: { cors } })
      const preflight = yield* test.options("/shop/1", asking(one))
      preflight.expectHeader("access-control-allow-methods", "GET, PURGE, x-Archive")
    })
  )

  it.live("accepts origins of apps that are not web pages", () =>
    Effect.gen(function* () {
      const origins = ["capacitor://localhost", "http://[::1]:3000", "http://localhost:5173"]
      const test = yield* TestApp.make(app, { config: { cors: { origins } } })
      for (const origin of origins) {
        const reply = yield* test.get("/shop/1", from(origin))
        assert.strictEqual(allowedOrigin(reply), origin)
      }
    })
  )

  it.live("reports * in production together with the problems of other sections", () =>
    Effect.gen(function* () {
      const config = { cors: { credentials: true, origins: ["*"] }, server: { port: -1 } }
      const error = yield* Effect.flip(TestApp.make(app, { config, environment: "production" }))
      assert.instanceOf(error, Config.ConfigError)
      assert.deepStrictEqual(
        error.problems.map(({ key }) => key),
        ["cors.credentials", "cors.origins", "server.port"]
      )
    })
  )

  it.live("allows * in the environment local, and elsewhere only with openToAll", () =>
    Effect.gen(function* () {
      const cors = { origins: ["*"] }
      yield* TestApp.make(app, { config: { cors }, environment: "local" })
      for (const environment of ["development", "production", "staging", "test"]) {
        const error = yield* Effect.flip(TestApp.make(app, { config: { cors }, environment }))
        assert.instanceOf(error, Config.ConfigError)
        assert.deepStrictEqual(
          error.problems.map(({ message }) => message),
          [
            '["*"] from overrides is refused for cors.origins (* lets the pages of every site call ' +
              `this service in the environment ${environment}): write a list of origins, or set ` +
              "cors.openToAll = true if that is meant."
          ]
        )
        yield* TestApp.make(app, { config: { cors: { ...cors, openToAll: true } }, environment })
      }
    })
  )

  it.live("says how browsers write an origin", () =>
    Effect.gen(function* () {
      for (const [origin, reason] of [
        ["https://App.example.com", "browsers write https://app.example.com"],
        ["https://app.example.com:443", "browsers write https://app.example.com"],
        ["https://bücher.example", "browsers write https://xn--bcher-kva.example"],
        ["null", "pages of every site can have the origin null"],
        ["https://*.com", "the hosts of com do not belong to one owner"]
      ] as const) {
        const error = yield* Effect.flip(
          TestApp.make(app, { config: { cors: { origins: [origin] } } })
        )
        assert.instanceOf(error, Config.ConfigError)
        assert.include(error.message, reason)
      }
    })
  )
})
