import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Tracer from "effect/Tracer"
import { App, Plugin, RequestFields } from "flange"
import * as Auth from "flange/Auth"
import * as Logging from "flange/Logging"
import { type LogEntry, TestApp } from "flange/Testing"
import { appWith, bearer, OrdersPlugin, StatusPlugin } from "./fixtures.ts"
import { audience, claims, hmac, issuer, secret } from "./Jwt/tokens.ts"

const jwt = Auth.jwt({ audience, issuer, keys: Auth.secret(secret) }, { mapper: Auth.oauthClaims })
const key = "a-key-that-nobody-guesses"
const apiKey = Auth.apiKey({
  source: Auth.query("key"),
  validate: Auth.keys([
    { identity: { isServiceAccount: true, subject: "robot" }, key: Redacted.make(key) }
  ])
})
const chain = Auth.chain([jwt, apiKey])

const securityLines = (logs: ReadonlyArray<LogEntry>) =>
  logs.filter(({ annotations }) => annotations["tag"] === "security")

describe("the audit", () => {
  const logged = (level: string) =>
    Effect.gen(function* () {
      const app = App.make("logged", [
        Logging.plugin,
        Auth.plugin({ default: chain }),
        OrdersPlugin
      ])
      const test = yield* TestApp.make(app, { config: { logging: { level } } })
      const token = hmac(claims({ scope: "orders:read" }))
      yield* test.get("/me", bearer(token))
      yield* test.get("/me", bearer("wrong"))
      yield* test.post("/orders", { ...bearer(token), json: {} })
      return securityLines(test.logs)
    })

  const summary = (lines: ReadonlyArray<LogEntry>) =>
    lines.map(({ annotations, level, message }) => [
      level,
      message,
      annotations["outcome"],
      annotations["subject"],
      annotations["route"],
      annotations["method"]
    ])

  const success = (route: string) => [
    "Debug",
    "Caller authenticated",
    "success",
    "ada",
    route,
    "jwt"
  ]
  const denied = (subject: string | undefined, route: string) => [
    "Warn",
    "Caller denied",
    "denied",
    subject,
    route,
    "jwt"
  ]

  it.live("goes to the log with tag security, those that are let in at debug", () =>
    Effect.gen(function* () {
      const lines = yield* logged("debug")
      assert.deepStrictEqual(summary(lines), [
        success("GET /me"),
        denied(undefined, "GET /me"),
        success("POST /orders"),
        denied("ada", "POST /orders")
      ])
      assert.isTrue(
        lines.every(({ annotations }) => /^[0-9a-f-]{36}$/.test(String(annotations["requestId"])))
      )
      assert.strictEqual(lines[3]?.annotations["reason"], "The caller lacks orders:write")
      assert.deepStrictEqual(summary(yield* logged("info")), [
        denied(undefined, "GET /me"),
        denied("ada", "POST /orders")
      ])
      assert.deepStrictEqual(summary(yield* logged("error")), [])
    })
  )

  it.live("takes every event where a plugin provides another, whatever the level", () =>
    Effect.gen(function* () {
      const audit = Auth.AuditLog.memory()
      const app = App.make("heard", [
        Logging.plugin,
        audit.plugin,
        Auth.plugin({ default: chain }),
        OrdersPlugin
      ])
      const test = yield* TestApp.make(app, { config: { logging: { level: "none" } } })
      yield* test.get("/me", bearer(hmac(claims())))
      assert.deepStrictEqual(
        audit.events.map(({ outcome }) => outcome),
        ["success"]
      )
    })
  )

  it.live("knows the request, the client and the route", () =>
    Effect.gen(function* () {
      const { app, audit } = appWith(chain)
      const test = yield* TestApp.listening(app, {
        config: { server: { trustedProxies: ["127.0.0.0/8"] } }
      })
      const reply = yield* test.get("/tenants/acme", {
        headers: {
          ...bearer(hmac(claims())).headers,
          "x-forwarded-for": "6.6.6.6, 198.51.100.7",
          "x-request-id": "r-1"
        }
      })
      reply.expectStatus(403)
      assert.deepStrictEqual(audit.events, [
        {
          chain: "default",
          clientIp: "198.51.100.7",
          method: "jwt",
          outcome: "success",
          reason: undefined,
          requestId: "r-1",
          route: "GET /tenants/:tenant",
          subject: "ada"
        },
        {
          chain: "default",
          clientIp: "198.51.100.7",
          method: "jwt",
          outcome: "denied",
          reason: "not of tenant acme",
          requestId: "r-1",
          route: "GET /tenants/:tenant",
          subject: "ada"
        }
      ])
    })
  )

  it.live("does not decide: when it breaks the request is answered and the log says so", () =>
    Effect.gen(function* () {
      const Broken = Plugin.make("app:broken-audit", {
        layer: Layer.succeed(Auth.AuditLog.AuditLog, { record: () => Effect.die("disk full") })
      })
      const app = App.make("broken", [Broken, Auth.plugin({ default: chain }), OrdersPlugin])
      const test = yield* TestApp.make(app)
      ;(yield* test.get("/me", bearer(hmac(claims())))).expectStatus(200)
      assert.isTrue(test.logs.some(({ message }) => message === "The audit log failed"))
    })
  )

  it.live("takes no control characters and no long texts from a token", () =>
    Effect.gen(function* () {
      const { app, audit } = appWith(chain)
      const test = yield* TestApp.make(app)
      const sub = `ada\r\nlevel=error msg="root logged in"\u0000\u001b[2J${"x".repeat(1000)}`
      yield* test.get("/me", bearer(hmac(claims({ client_id: "web\nx", sub }))))
      const { subject = "" } = audit.events[0] ?? {}
      assert.match(subject, /^adalevel=error msg="root logged in"\[2Jx+$/)
      assert.isAtMost(subject.length, 512)
    })
  )
})

describe("the access line", () => {
  const fields = (logs: ReadonlyArray<LogEntry>) =>
    logs
      .filter(({ annotations }) => annotations["durationMs"] !== undefined)
      .map(({ annotations }) => ({
        clientId: annotations["clientId"],
        method: annotations["authMethod"],
        outcome: annotations["authOutcome"],
        userId: annotations["userId"]
      }))

  it.live("of a request says who called, without the two middlewares knowing each other", () =>
    Effect.gen(function* () {
      const app = App.make("lines", [
        Logging.plugin,
        Auth.plugin({ default: chain }),
        StatusPlugin,
        OrdersPlugin
      ])
      const test = yield* TestApp.make(app)
      yield* Effect.all(
        [
          test.get("/me", bearer(hmac(claims({ client_id: "web" })))),
          test.get("/me", { query: { key } }),
          test.get("/me", bearer("wrong")),
          test.get("/status"),
          test.post("/orders", { ...bearer(hmac(claims())), json: { item: "tea" } })
        ],
        { concurrency: 1 }
      )
      assert.deepStrictEqual(fields(test.logs), [
        { clientId: "web", method: "jwt", outcome: "success", userId: "ada" },
        { clientId: "robot", method: "api-key", outcome: "success", userId: undefined },
        { clientId: undefined, method: "jwt", outcome: "denied", userId: undefined },
        { clientId: undefined, method: undefined, outcome: undefined, userId: undefined },
        { clientId: undefined, method: "jwt", outcome: "denied", userId: "ada" }
      ])
    })
  )
})

describe("a key in the query", () => {
  const spans: Array<Tracer.Span> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  const Tracing = Plugin.make("app:tracing", { layer: Layer.succeed(Tracer.Tracer, tracer) })

  it.live("is written nowhere: no log line, no span, no audit event, no reply", () =>
    Effect.gen(function* () {
      const audit = Auth.AuditLog.memory()
      const app = App.make("silent", [
        Tracing,
        Logging.plugin,
        audit.plugin,
        Auth.plugin({ default: chain }),
        OrdersPlugin
      ])
      for (const boot of [TestApp.make, TestApp.listening]) {
        const test = yield* boot(app, { config: { logging: { level: "debug" } } })
        const wrong = "a-wrong-key-in-the-query"
        ;(yield* test.get("/me", { query: { key } })).expectStatus(200)
        const refused = yield* test.get("/me", { query: { key: wrong } })
        const missing = yield* test.get("/nowhere", { query: { key } })
        const forbidden = yield* test.get("/admin", { query: { key } })
        const seen = [
          ...test.logs.map((entry) => JSON.stringify(entry)),
          ...spans.map(({ attributes, name }) => JSON.stringify([name, [...attributes]])),
          JSON.stringify(audit.events),
          refused.text,
          missing.text,
          forbidden.text
        ].join("\n")
        assert.notInclude(seen, key)
        assert.notInclude(seen, wrong)
        assert.isAbove(test.logs.length, 0)
      }
      assert.isTrue(spans.some(({ attributes }) => attributes.has("url.query")))
      // The span of the request says who called, as its access line does.
      assert.isTrue(
        spans.some(
          ({ attributes, kind }) =>
            kind === "server" &&
            attributes.get("clientId") === "robot" &&
            attributes.get("authMethod") === "api-key" &&
            attributes.get("authOutcome") === "success"
        )
      )
    })
  )
})

describe("request fields", () => {
  it.effect("of one request are not those of another", () =>
    Effect.gen(function* () {
      const [one, two] = [RequestFields.make(), RequestFields.make()]
      const { set } = RequestFields
      yield* Effect.provideService(set({ a: 1 }), RequestFields.RequestFields, one)
      yield* Effect.provideService(set({ a: 2, b: true }), RequestFields.RequestFields, two)
      assert.deepStrictEqual({ ...one }, { a: 1 })
      assert.deepStrictEqual({ ...two }, { a: 2, b: true })
      assert.strictEqual(Object.getPrototypeOf(one), null)
    })
  )
})
