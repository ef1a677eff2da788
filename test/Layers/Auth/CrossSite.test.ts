/** Requests that pages of other origins start with the credentials of a browser. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import * as OpenApi from "effect/http-api/OpenApi"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { App, Config, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"
import { MockAuth } from "flange/Auth/Testing"
import * as Cors from "flange/Cors"
import { TestApp } from "flange/Testing"
import { afterEach, assert, describe, it } from "vitest"
import { both } from "../../Server/codecs.ts"
import { boot, type Counted } from "../../Server/counted.ts"
import { echo } from "../../Server/Listener/Proxied/rig.ts"
import { arrives, listeners } from "../../Server/userCode/server.ts"

const success = Schema.String

class TransfersApi extends HttpApiGroup.make("transfers").add(
  HttpApiEndpoint.options("ask", "/transfers", { success }),
  HttpApiEndpoint.patch("change", "/transfers", { success }),
  HttpApiEndpoint.post("create", "/transfers", { success }),
  HttpApiEndpoint.get("list", "/transfers", { success }),
  HttpApiEndpoint.delete("remove", "/transfers", { success }),
  HttpApiEndpoint.put("replace", "/transfers", { success })
) {}

class LiveApi extends HttpApiGroup.make("live").add(
  HttpApiEndpoint.get("live", "/live", {
    success: HttpApiSchema.Upgrade({ protocol: "echo" })
  })
) {}

class GreetApi extends HttpApiGroup.make("greet").add(
  HttpApiEndpoint.post("greet", "/greet", { success })
) {}

class PublicApi extends HttpApiGroup.make("public").add(
  HttpApiEndpoint.post("sign", "/sign", { success })
) {}

const done = () => Effect.succeed("done")

const Routes = Plugin.make("test:routes", {
  routes: [
    Route.optional(GreetApi, (handlers) => handlers.handleAll({ greet: done })),
    Route.protected(TransfersApi, (handlers) =>
      handlers.handleAll({
        ask: done,
        change: done,
        create: done,
        list: done,
        remove: done,
        replace: done
      })
    ),
    Route.protected(LiveApi, (handlers) => handlers.handleAll({ live: () => Effect.void })),
    Route.public(PublicApi, (handlers) => handlers.handleAll({ sign: done })),
    Route.raw("raw", HttpRouter.add("POST", "/raw", HttpServerResponse.text("done")), {
      access: "protected"
    }),
    Route.raw(
      "socket",
      HttpRouter.add("GET", "/socket", Effect.flatMap(HttpServerRequest.HttpServerRequest, echo)),
      { access: "protected" }
    )
  ]
})

const session = Auth.apiKey({
  name: "session",
  source: Auth.cookie("session"),
  validate: Auth.keys([{ identity: { subject: "ada" }, key: Redacted.make("secret") }])
})

const basic = Auth.basic({
  validate: Auth.users([{ password: Redacted.make("secret"), username: "ada" }])
})

const token = [{ identity: { subject: "deploy" }, token: Redacted.make("secret") }]

const custom = (scheme?: Auth.Scheme) =>
  Auth.backend({
    authenticate: (request) =>
      Effect.succeed(
        request.headers["x-custom"] === undefined ? Auth.Skip : Auth.identity({ subject: "ada" })
      ),
    name: "custom",
    ...(scheme === undefined ? {} : { scheme })
  })

const scheme = (security: HttpApiSecurity.HttpApiSecurity): Auth.Scheme => ({
  challenge: () => "Custom",
  security
})

const cookie = { cookie: "session=secret" }
const bearer = { authorization: "Bearer secret" }
const password = { authorization: `Basic ${btoa("ada:secret")}` }

const auth = (
  backends: ReadonlyArray<Auth.Backend>,
  options: { readonly acceptsCrossSite?: boolean } = {}
) => Auth.plugin({ default: Auth.chain(backends, { ...options, unauthenticated: "anonymous" }) })

const stranger = "https://evil.example"

describe.each(listeners)("a request with the credentials of a browser on %s", (name) => {
  let app: Counted
  afterEach(() => arrives("The end of the app", app.stop()))

  const start = async (plugins: ReadonlyArray<Plugin.Any>, server?: object) => {
    app = await boot(name, [...plugins, Routes], server)
  }

  const statusOf = async (
    headers: Readonly<Record<string, string>>,
    method = "POST",
    path = "/transfers"
  ) => {
    const reply = await app.ask(path, { headers, method })
    await reply.arrayBuffer()
    return reply.status
  }

  it("is refused if a page of another origin started it", async () => {
    await start([auth([session, basic])])
    const own = name === "web" ? "http://localhost" : new URL((await app.ask("/x")).url).origin
    const cases: ReadonlyArray<readonly [number, Record<string, string>]> = [
      [200, {}],
      [200, { origin: own }],
      [200, { "sec-fetch-site": "same-origin" }],
      [200, { "sec-fetch-site": "none" }],
      [200, { origin: stranger, "sec-fetch-site": "same-origin" }],
      [403, { "sec-fetch-site": "cross-site" }],
      [403, { "sec-fetch-site": "same-site" }],
      [403, { "sec-fetch-site": "same-origin, cross-site" }],
      [403, { "sec-fetch-site": "unknown" }],
      [403, { origin: own, "sec-fetch-site": "cross-site" }],
      [403, { origin: stranger }],
      [403, { origin: "null" }],
      [403, { origin: "" }],
      [403, { origin: `${own}, ${stranger}` }],
      [403, { origin: `${own}.evil.example` }],
      [403, { origin: `${own}/` }],
      [403, { origin: `${new URL(own).protocol}//${new URL(own).hostname}:1` }],
      [403, { origin: own.replace("http:", "ftp:") }]
    ]
    for (const credentials of [cookie, password]) {
      for (const [status, headers] of cases) {
        const sent = JSON.stringify(headers)
        assert.strictEqual(await statusOf({ ...credentials, ...headers }), status, sent)
        assert.strictEqual(await statusOf({ ...credentials, ...headers }, "POST", "/raw"), status)
        assert.strictEqual(await statusOf({ ...credentials, ...headers }, "POST", "/greet"), status)
      }
    }
  })

  it("is refused with every method that may change something", async () => {
    await start([auth([session])])
    const headers = { ...cookie, origin: stranger, "sec-fetch-site": "cross-site" }
    for (const method of ["GET", "HEAD", "OPTIONS"]) {
      assert.strictEqual(await statusOf(headers, method), 200, method)
    }
    for (const method of ["DELETE", "PATCH", "POST", "PUT"]) {
      assert.strictEqual(await statusOf(headers, method), 403, method)
    }
  })

  it("is not refused if it has none, or others", async () => {
    await start([auth([session, Auth.bearer(token), custom(scheme(HttpApiSecurity.bearer))])])
    const foreign = { origin: stranger, "sec-fetch-site": "cross-site" }
    assert.strictEqual(await statusOf(foreign), 401)
    assert.strictEqual(await statusOf({ ...foreign, cookie: "session=wrong" }), 401)
    assert.strictEqual(await statusOf(foreign, "POST", "/greet"), 200)
    assert.strictEqual(await statusOf({ ...foreign, ...cookie }, "POST", "/sign"), 200)
    assert.strictEqual(await statusOf({ ...foreign, ...bearer }), 200)
    // A page can send this header only if CORS lets it.
    assert.strictEqual(await statusOf({ ...foreign, ...bearer, ...cookie }), 200)
    assert.strictEqual(await statusOf({ ...foreign, "x-custom": "1" }), 200)
    assert.strictEqual(await statusOf({ ...foreign, ...cookie, "x-custom": "1" }), 403)
  })

  it("is not let in by what a page can add to it", async () => {
    const key = Auth.apiKey({ source: Auth.query("key"), validate: Auth.keys([]) })
    await start([auth([session, key])])
    const headers = { ...cookie, "sec-fetch-site": "cross-site" }
    assert.strictEqual(await statusOf(headers, "POST", "/transfers?key=any"), 403)
  })

  it("counts as one unless the scheme of a backend says that it is none", async () => {
    const foreign = { "sec-fetch-site": "cross-site", "x-custom": "1" }
    for (const [status, described] of [
      [403, undefined],
      [403, scheme(HttpApiSecurity.basic)],
      [403, scheme(HttpApiSecurity.apiKey({ in: "cookie", key: "custom" }))],
      [403, scheme(HttpApiSecurity.http({ scheme: "Negotiate" }))],
      [200, scheme(HttpApiSecurity.bearer)],
      [200, scheme(HttpApiSecurity.apiKey({ in: "header", key: "X-Custom" }))]
    ] as const) {
      await app?.stop()
      await start([auth([custom(described)])])
      assert.strictEqual(await statusOf(foreign), status)
    }
  })

  it("is accepted from every page if the chain accepts cross-site requests", async () => {
    await start([auth([session, basic], { acceptsCrossSite: true })])
    for (const credentials of [cookie, password]) {
      for (const from of [{ origin: stranger }, { "sec-fetch-site": "cross-site" }]) {
        assert.strictEqual(await statusOf({ ...credentials, ...from }), 200)
      }
    }
  })

  it("is accepted from the pages of allowed origins", async () => {
    const [page, form, plain] = [
      "https://app.example",
      "https://form.example",
      "https://no.example"
    ]
    const statuses = async () => {
      const found: Array<number> = []
      for (const origin of [page, form, plain]) {
        found.push(await statusOf({ ...cookie, origin, "sec-fetch-site": "same-site" }))
        found.push(await statusOf({ ...cookie, origin }))
      }
      return found
    }
    const defaults = (cors: object) =>
      Plugin.make("test:defaults", { defaults: { cors, crossSite: { allowedOrigins: [form] } } })
    const cors = { credentials: true, origins: [page] }
    await start([auth([session]), Cors.plugin, defaults(cors)])
    assert.deepStrictEqual(await statuses(), [200, 200, 200, 200, 403, 403])
    await app.stop()
    await start([Cors.plugin, auth([session]), defaults({ ...cors, credentials: false })])
    assert.deepStrictEqual(await statuses(), [403, 403, 200, 200, 403, 403])
  })

  it("is compared with the origin that a trusted proxy names, and with no other", async () => {
    await start([auth([session])], { trustedProxies: ["127.0.0.0/8", "::1"] })
    const isTrusted = name !== "web"
    const origin = "https://app.example"
    for (const [isOwn, headers] of [
      [true, { "x-forwarded-host": "app.example", "x-forwarded-proto": "https" }],
      [true, { "x-forwarded-host": "app.example:443, inner", "x-forwarded-proto": "https, http" }],
      [true, { "x-forwarded-host": "APP.example", "x-forwarded-proto": "wss" }],
      [true, { "x-forwarded-host": "app.example" }],
      [true, { forwarded: 'for=192.0.2.1;host="app.example";proto=https, for=10.0.0.1' }],
      [false, { "x-forwarded-host": "app.example", "x-forwarded-proto": "http" }],
      [false, { "x-forwarded-host": "app.example:8443", "x-forwarded-proto": "https" }],
      [false, { "x-forwarded-host": "inner, app.example" }],
      [false, { "x-forwarded-host": "@", "x-forwarded-proto": "https" }],
      [false, {}]
    ] as const) {
      assert.strictEqual(
        await statusOf({ ...cookie, ...headers, origin }),
        isOwn && isTrusted ? 200 : 403,
        JSON.stringify(headers)
      )
    }
    await app.stop()
    await start([auth([session])])
    assert.strictEqual(
      await statusOf({ ...cookie, origin, "x-forwarded-host": "app.example" }),
      403
    )
  })
})

describe.each(["node", "proxied"] as const)("an upgrade with a cookie on %s", (name) => {
  it("is refused if a page of another origin started it", async () => {
    const app = await boot(name, [auth([session, Auth.bearer(token)]), Routes])
    const handshake = async (...lines: ReadonlyArray<string>) => {
      const client = await app.connect()
      const head = [
        "GET /socket HTTP/1.1",
        "Host: app.example",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ...lines
      ]
      client.send(`${head.join("\r\n")}\r\n\r\n`)
      const { status } = await arrives("The reply", client.reply())
      client.destroy()
      return status
    }
    const sent = "Cookie: session=secret"
    assert.strictEqual(await handshake(sent, `Origin: ${stranger}`), 403)
    assert.strictEqual(await handshake(sent, "Sec-Fetch-Site: cross-site"), 403)
    assert.strictEqual(await handshake(sent, "Origin: null"), 403)
    assert.strictEqual(await handshake(sent), 101)
    assert.strictEqual(await handshake(sent, "Origin: https://app.example"), 101)
    assert.strictEqual(await handshake("Authorization: Bearer secret", `Origin: ${stranger}`), 101)
    await arrives("The end of the app", app.stop())
  })
})

describe("the refusal of a request that a page of another origin started", () => {
  it("is a problem document, is audited and is the same with both codecs", async () => {
    const audit = Auth.AuditLog.memory()
    const reply = await both(
      () => App.make("transfers", [audit.plugin, auth([session]), Routes]),
      ({ send }) =>
        send("/transfers", { headers: { ...cookie, origin: "https://e\tvil" }, method: "POST" })
    )
    const { code, status } = JSON.parse(reply.body)
    assert.deepStrictEqual(
      [reply.status, reply.headers["content-type"], code, status],
      [403, "application/problem+json", "CROSS_SITE_REQUEST", 403]
    )
    assert.notInclude(reply.body, "vil")
    assert.lengthOf(audit.events, 2)
    const [event] = audit.events
    assert.deepInclude(event, {
      method: "session",
      outcome: "denied",
      route: "POST /transfers",
      subject: "ada"
    })
    assert.match(event!.reason!, /^A page of another origin sent it: Origin is https:\/\/e.*vil$/)
  })

  it("is in the log as a warning with its reason", () =>
    Effect.gen(function* () {
      const app = yield* TestApp.make(App.make("transfers", [auth([session]), Routes]))
      const headers = { ...cookie, "sec-fetch-site": "cross-site" }
      const reply = yield* app.post("/transfers", { headers })
      reply.expectProblem("CROSS_SITE_REQUEST", 403)
      const denied = app.logs.filter(({ message }) => message === "Caller denied")
      assert.lengthOf(denied, 1)
      assert.strictEqual(denied[0]!.level, "Warn")
      assert.strictEqual(
        denied[0]!.annotations["reason"],
        "A page of another origin sent it: Sec-Fetch-Site is cross-site"
      )
    }).pipe(Effect.scoped, Effect.runPromise))

  it("never befalls an app whose authentication is a mock", () =>
    Effect.gen(function* () {
      const app = yield* TestApp.make(App.make("transfers", [MockAuth.as("ada"), Routes]))
      const reply = yield* app.post("/transfers", { headers: { origin: stranger } })
      reply.expectStatus(200)
    }).pipe(Effect.scoped, Effect.runPromise))

  it("is in the OpenAPI document where it can happen", () => {
    const statuses = (plugin: ReturnType<typeof auth>) => {
      const { paths } = OpenApi.fromApi(App.make("transfers", [plugin, Routes]).api)
      return Object.entries(paths).flatMap(([path, operations]) =>
        Object.entries(operations).flatMap(([method, operation]) =>
          403 in (operation as OpenApi.OpenAPISpecOperation).responses ? [`${method} ${path}`] : []
        )
      )
    }
    const unsafe = ["delete", "patch", "post", "put"].map((method) => `${method} /transfers`)
    const expected = [...unsafe, "get /live", "post /greet"]
    assert.sameMembers(statuses(auth([session])), expected)
    assert.sameMembers(statuses(auth([Auth.bearer(token), basic])), expected)
    assert.sameMembers(statuses(auth([custom()])), expected)
    assert.deepStrictEqual(statuses(auth([Auth.bearer(token)])), [])
    assert.deepStrictEqual(statuses(auth([session], { acceptsCrossSite: true })), [])
  })
})

describe("crossSite.allowedOrigins", () => {
  it.each(["*", "app.example", "https://app.example/", "https://App.example", "null"])(
    "refuses %j when the app starts",
    (origin) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          TestApp.make(App.make("transfers", [auth([session]), Routes]), {
            config: { crossSite: { allowedOrigins: [origin] } }
          })
        )
        assert.instanceOf(error, Config.ConfigError)
        assert.include(error.message, "crossSite.allowedOrigins")
        assert.include(error.message, 'an origin such as "https://app.example.com"')
      }).pipe(Effect.scoped, Effect.runPromise)
  )
})
