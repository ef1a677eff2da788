import { connect } from "node:net"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { App, Config, Plugin } from "flange"
import * as Auth from "flange/Auth"
import { TestApp } from "flange/Testing"
import * as NodeListener from "../../../src/Server/Listener/Node/NodeListener.ts"
import * as ProxiedListener from "../../../src/Server/Listener/Proxied/ProxiedListener.ts"
import { appWith, bearer, GreetPlugin, OrdersPlugin } from "./fixtures.ts"
import { audience, claims, hmac, issuer, secret } from "./Jwt/tokens.ts"

const key = Redacted.make("a-key-that-nobody-guesses")
const password = Redacted.make("correct: horse")
const token = Redacted.make("a-token-that-nobody-guesses")

const apiKey = Auth.apiKey({
  validate: Auth.keys([
    { identity: { isServiceAccount: true, subject: "robot" }, key },
    { hash: Auth.hashKey(Redacted.make("hashed")), identity: { subject: "hashed" } }
  ])
})
const basic = Auth.basic({ validate: Auth.users([{ password, username: "ada" }]) })
const machine = Auth.bearer([{ identity: { subject: "deploy" }, token }])
const jwt = Auth.jwt({ audience, issuer, keys: Auth.secret(secret) })

const all = Auth.chain([apiKey, machine, jwt, basic], { realm: 'my "api"' })

const basicHeader = (text: string) => ({
  headers: { authorization: `Basic ${Buffer.from(text).toString("base64")}` }
})

const apiKeyHeader = (value: string) => ({ headers: { "x-api-key": value } })

const challenge = (error = "") =>
  String.raw`ApiKey realm="my \"api\"", in="header", name="x-api-key", Bearer realm="my \"api\""${error}, Basic realm="my \"api\"", charset="UTF-8"`

describe("a chain", () => {
  it.live("asks its backends in turn, and the first identity wins", () =>
    Effect.gen(function* () {
      const { app, audit } = appWith(all)
      const test = yield* TestApp.make(app)
      const who = (options: TestOptions) =>
        Effect.map(test.get("/me", options), ({ json, status }) => (status === 200 ? json : status))
      assert.strictEqual(yield* who(apiKeyHeader("a-key-that-nobody-guesses")), "robot")
      assert.strictEqual(yield* who(apiKeyHeader("hashed")), "hashed")
      assert.strictEqual(yield* who(bearer("a-token-that-nobody-guesses")), "deploy")
      assert.strictEqual(yield* who(bearer(hmac(claims()))), "ada")
      assert.strictEqual(yield* who(basicHeader("ada:correct: horse")), "ada")
      const both = { ...bearer(hmac(claims())).headers, ...apiKeyHeader("hashed").headers }
      assert.strictEqual(yield* who({ headers: both }), "hashed")
      assert.deepStrictEqual(
        audit.events.map(({ method }) => method),
        ["api-key", "api-key", "bearer", "jwt", "basic", "api-key"]
      )
    })
  )

  it.live("names every scheme in WWW-Authenticate, and the error at the one that was wrong", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(appWith(all).app)
      ;(yield* test.get("/me"))
        .expectProblem("UNAUTHENTICATED", 401)
        .expectHeader("www-authenticate", challenge())
        .expectHeader("cache-control", "no-store")
      ;(yield* test.get("/me", bearer("wrong"))).expectHeader(
        "www-authenticate",
        challenge(', error="invalid_token"')
      )
      ;(yield* test.get("/me", basicHeader("ada:wrong"))).expectHeader(
        "www-authenticate",
        challenge()
      )
    })
  )

  it.live("ends with wrong credentials: another backend does not let their bearer in", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(appWith(all).app)
      const good = basicHeader("ada:correct: horse").headers
      ;(yield* test.get("/me", { headers: { ...good, "x-api-key": "wrong" } })).expectStatus(401)
      ;(yield* test.get("/me", { headers: good })).expectStatus(200)
    })
  )

  it.live("does not take a scheme that no backend knows for credentials of its own", () =>
    Effect.gen(function* () {
      const { app, audit } = appWith(all)
      const test = yield* TestApp.make(app)
      yield* test.get("/me", { headers: { authorization: "Digest username=ada" } })
      assert.strictEqual(audit.events[0]?.reason, "No credentials came with the request")
    })
  )

  it("refuses two backends of one name, and two chains of one name", () => {
    assert.throws(() => Auth.chain([jwt, jwt]), /named "jwt".*Give one of them/)
    const chains = { default: all }
    assert.throws(() => Auth.plugin({ chains, default: all }), /two chains named default/)
  })

  it.live("answers 500 for a backend that breaks, and says nothing of it", () =>
    Effect.gen(function* () {
      const { app, audit } = appWith(
        Auth.chain([
          Auth.backend({ authenticate: () => Effect.die(new Error("s3cret")), name: "broken" })
        ])
      )
      const test = yield* TestApp.make(app)
      const reply = yield* test.get("/me")
      reply.expectProblem("INTERNAL_ERROR", 500)
      assert.notInclude(reply.text, "s3cret")
      assert.deepStrictEqual(
        audit.events.map(({ method, outcome, reason }) => [outcome, method, reason]),
        [["error", "broken", "s3cret"]]
      )
    })
  )
})

type TestOptions = { readonly headers: Readonly<Record<string, string>> }

describe("credentials that come twice", () => {
  const twice: ReadonlyArray<readonly [string, string, number]> = [
    ["one API key", "X-Api-Key: hashed\r\n", 200],
    ["two API keys", "X-Api-Key: hashed\r\nX-Api-Key: hashed\r\n", 401],
    ["two API keys in one line", "X-Api-Key: hashed, hashed\r\n", 401],
    [
      "two Authorization headers",
      "Authorization: Bearer a\r\nAuthorization: Bearer a-token-that-nobody-guesses\r\n",
      401
    ],
    [
      "two Authorization headers, the first right",
      "Authorization: Bearer a-token-that-nobody-guesses\r\nAuthorization: Bearer a\r\n",
      401
    ],
    [
      "Authorization of two schemes",
      "Authorization: Basic YTpi\r\nAuthorization: Bearer a-token-that-nobody-guesses\r\n",
      401
    ]
  ]
  const listeners = [
    ["node", NodeListener.listen],
    ["proxied", ProxiedListener.listen]
  ] as const
  for (const [listening, listener] of listeners) {
    for (const [name, headers, status] of twice) {
      it.live(`are refused by ${listening}: ${name} (${status})`, () =>
        Effect.gen(function* () {
          const { address = "" } = yield* App.boot(appWith(all).app, {
            listener,
            source: { overrides: { server: { host: "127.0.0.1", port: 0 } }, variables: {} }
          })
          const reply = yield* raw(
            address,
            `GET /me HTTP/1.1\r\nHost: a\r\n${headers}Connection: close\r\n\r\n`
          )
          // The proxied listener takes no second Authorization at all.
          const refused = listening === "proxied" && headers.startsWith("Authorization") ? 400 : 401
          assert.match(reply, new RegExp(`^HTTP/1.1 ${status === 200 ? 200 : refused} `))
        }).pipe(Effect.provide(NodeServices.layer))
      )
    }
  }

  it.live("are refused in the query too, also when they are equal", () =>
    Effect.gen(function* () {
      const chain = Auth.chain([
        Auth.apiKey({
          source: Auth.query("key"),
          validate: Auth.keys([{ identity: { subject: "robot" }, key }])
        })
      ])
      const test = yield* TestApp.make(appWith(chain).app)
      const value = Redacted.value(key)
      ;(yield* test.get("/me", { query: { key: value } })).expectStatus(200)
      ;(yield* test.get("/me", { query: { key: [value, value] } })).expectStatus(401)
    })
  )
})

const raw = (url: string, text: string) =>
  Effect.callback<string>((resume) => {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname, () => socket.write(text))
    let reply = ""
    socket.setEncoding("utf8")
    socket.on("data", (chunk: string) => {
      reply += chunk
    })
    socket.on("close", () => resume(Effect.succeed(reply)))
  })

describe("Basic", () => {
  it.live("takes no malformed credentials, and no control characters", () =>
    Effect.gen(function* () {
      const { app, audit } = appWith(Auth.chain([basic]))
      const test = yield* TestApp.make(app)
      for (const text of ["ada", "ada:correct: horse\u0000", "\xff:x", "x".repeat(2000), ""]) {
        const encoded = Buffer.from(text, "latin1").toString("base64")
        yield* Effect.map(
          test.get("/me", { headers: { authorization: `Basic ${encoded}` } }),
          (reply) => reply.expectStatus(401)
        )
      }
      ;(yield* test.get("/me", { headers: { authorization: "Basic !!!" } })).expectStatus(401)
      assert.isTrue(audit.events.every(({ outcome }) => outcome === "denied"))
    })
  )
})

describe("optional routes", () => {
  const chain = Auth.chain([machine], { unauthenticated: "anonymous" })
  const audit = Auth.AuditLog.memory()
  const app = App.make("greet", [
    audit.plugin,
    Auth.plugin({ default: chain }),
    GreetPlugin,
    OrdersPlugin
  ])

  it.live("serve callers without credentials, and refuse wrong ones", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app)
      ;(yield* test.get("/greet")).expectJson("Hello")
      ;(yield* test.get("/greet", bearer("a-token-that-nobody-guesses"))).expectJson(
        "Hello, deploy"
      )
      ;(yield* test.get("/greet", bearer("wrong"))).expectProblem("UNAUTHENTICATED", 401)
      ;(yield* test.get("/me")).expectProblem("UNAUTHENTICATED", 401)
      assert.deepStrictEqual(
        audit.events.map(({ outcome, route }) => `${outcome} ${route}`),
        ["anonymous GET /greet", "success GET /greet", "denied GET /greet", "denied GET /me"]
      )
    })
  )
})

describe("backends with services", () => {
  class Store extends Context.Service<
    Store,
    { readonly find: (hash: string) => Effect.Effect<Option.Option<string>> }
  >()("app/Store") {
    static readonly layer = Layer.succeed(Store, {
      find: (hash) =>
        Effect.succeed(hash === Auth.hashKey(key) ? Option.some("stored") : Option.none())
    })
  }
  const StorePlugin = Plugin.make("app:store", { layer: Store.layer, provides: [Store] })
  const chain = Auth.chain([
    Auth.apiKey({
      validate: (key) =>
        Effect.gen(function* () {
          const store = yield* Store
          return Option.map(yield* store.find(Auth.hashKey(key)), (subject) => ({ subject }))
        })
    })
  ])

  it.live("take them from the plugins that provide them, acquired before", () =>
    Effect.gen(function* () {
      const app = App.make("stored", [
        Auth.plugin({ default: chain, requires: [Store] }),
        StorePlugin,
        OrdersPlugin
      ])
      const test = yield* TestApp.make(app)
      ;(yield* test.get("/me", apiKeyHeader(Redacted.value(key)))).expectJson("stored")
      ;(yield* test.get("/me", apiKeyHeader("other"))).expectStatus(401)
    })
  )

  it.live("take keys and users from the configuration, once", () =>
    Effect.gen(function* () {
      const Callers = Config.section("callers", { key: Config.Secret, password: Config.Secret })
      let made = 0
      const read = Effect.tap(Callers, () =>
        Effect.sync(() => {
          made++
        })
      )
      const chain = Auth.chain([
        Auth.apiKey({
          validate: Effect.map(read, ({ key }) =>
            Auth.keys([{ identity: { subject: "robot" }, key }])
          )
        }),
        Auth.basic({
          validate: Effect.map(read, ({ password }) => Auth.users([{ password, username: "ada" }]))
        })
      ])
      const auth = Auth.plugin({ config: [Callers], default: chain })
      const test = yield* TestApp.make(App.make("configured", [auth, OrdersPlugin]), {
        config: { callers: { key: "key-of-the-file", password: "correct horse" } }
      })
      for (let i = 0; i < 3; i++) {
        ;(yield* test.get("/me", apiKeyHeader("key-of-the-file"))).expectJson("robot")
        ;(yield* test.get("/me", basicHeader("ada:correct horse"))).expectJson("ada")
      }
      ;(yield* test.get("/me", apiKeyHeader("other"))).expectStatus(401)
      assert.strictEqual(made, 2)
    })
  )
})
