import * as NodeServices from "@effect/platform-node/NodeServices"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Redacted from "effect/Redacted"
import { App, Config } from "flange"
import * as Admin from "flange/Admin"
import * as Auth from "flange/Auth"
import { Client } from "flange/Contract"
import { TestApp } from "flange/Testing"
import { app, values } from "./fixture.ts"

const token = "a-token-of-this-test"
const boot = (admin: object = {}) =>
  Effect.map(TestApp.make(app, { config: { admin }, values }), (test) => ({
    port: test.port("admin"),
    security: () => test.logs.filter(({ annotations }) => annotations["tag"] === "security")
  }))

const configError = (admin: object) =>
  Effect.map(Effect.flip(TestApp.make(app, { config: { admin }, values })), String)

const loaded = (admin: object) =>
  Effect.provide(
    Config.load({ sections: [Admin.AdminConfig], values: { admin }, variables: {} }),
    NodeServices.layer
  )

describe("the place of the admin port", () => {
  it.effect.each(["0.0.0.0", "::", "10.0.0.7", "admin.example.com"])(
    "on %s it needs a token, and the error says what to write",
    (host) =>
      Effect.gen(function* () {
        const error = yield* configError({ host })
        expect(error).toContain("admin.token")
        expect(error).toContain(`other machines reach admin.host "${host}"`)
        expect(error).toContain("Admin.protectedWith")
        yield* loaded({ host, token })
      })
  )

  it.effect.each(["127.0.0.1", "127.1.2.3", "::1", "localhost"])("on %s it needs none", (host) =>
    loaded({ host })
  )

  it.effect("a token that can be guessed is refused, and is not in the error", () =>
    Effect.gen(function* () {
      const error = yield* configError({ token: "short-secret" })
      expect(error).toContain("16 characters at least")
      expect(error).not.toContain("short-secret")
    })
  )
})

describe("the token of the admin port", () => {
  it.effect("a request with it is answered", () =>
    Effect.gen(function* () {
      const { port } = yield* boot({ token })
      ;(yield* port.get("/info", { headers: { authorization: `Bearer ${token}` } })).expectStatus(
        200
      )
      ;(yield* port.get("/info", { headers: { authorization: `bearer  ${token}` } })).expectStatus(
        200
      )
    })
  )

  it.effect.each([
    ["none", undefined],
    ["another one", "Bearer another-token-of-this-test"],
    ["a part of it", `Bearer ${token.slice(0, -1)}`],
    ["more than it", `Bearer ${token}x`],
    ["another scheme", `Basic ${token}`],
    ["nothing behind the scheme", "Bearer "]
  ] as const)("a request with %s is refused everywhere and audited", ([, authorization]) =>
    Effect.gen(function* () {
      const { port, security } = yield* boot({ token })
      const headers = authorization === undefined ? {} : { authorization }
      for (const path of ["/info", "/config", "/shelf", "/unknown"]) {
        const reply = (yield* port.get(path, { headers })).expectProblem("UNAUTHENTICATED", 401)
        expect(reply.headers.get("www-authenticate")).toBe('Bearer realm="admin"')
      }
      ;(yield* port.post("/drain", { headers, json: {} })).expectProblem("UNAUTHENTICATED", 401)
      expect(security()).toHaveLength(5)
      expect(security()[0]?.annotations).toMatchObject({ chain: "admin", outcome: "denied" })
      expect(JSON.stringify(security())).not.toContain(token)
    })
  )
})

describe("the admin port behind a chain", () => {
  const person = (subject: string, scopes: ReadonlyArray<string>) => ({
    identity: { scopes, subject },
    key: Redacted.make(`key-of-${subject}`)
  })
  const staff = Auth.chain([
    Auth.apiKey({ validate: Auth.keys([person("ada", ["admin"]), person("bob", ["orders"])]) })
  ])
  const guarded = App.make("guarded", [
    Auth.plugin({ chains: { staff } }),
    Admin.protectedWith("staff", Auth.requireScopes("admin"))
  ])
  const guardedPort = Effect.map(
    TestApp.make(guarded, { config: { admin: { host: "0.0.0.0" } } }),
    (test) => ({ port: test.port("admin"), test })
  )
  const as = (subject: string) => ({ headers: { "x-api-key": `key-of-${subject}` } })

  it.effect("callers with the scope are answered", () =>
    Effect.gen(function* () {
      const { port } = yield* guardedPort
      ;(yield* port.get("/info", as("ada"))).expectStatus(200)
      ;(yield* port.get("/unknown", as("ada"))).expectProblem("ADMIN_PATH_NOT_FOUND", 404)
    })
  )

  it.effect("callers without credentials and without the scope are refused and audited", () =>
    Effect.gen(function* () {
      const { port, test } = yield* guardedPort
      for (const path of ["/info", "/unknown"]) {
        ;(yield* port.get(path)).expectProblem("UNAUTHENTICATED", 401)
        ;(yield* port.get(path, as("eve"))).expectProblem("UNAUTHENTICATED", 401)
        ;(yield* port.get(path, as("bob"))).expectProblem("FORBIDDEN", 403)
      }
      const { logs } = test
      expect(logs.filter(({ annotations }) => annotations["outcome"] === "denied")).toHaveLength(6)
    })
  )

  it.effect("a change names its caller", () =>
    Effect.gen(function* () {
      const { port, test } = yield* guardedPort
      ;(yield* port.post("/drain", { ...as("ada"), json: {} })).expectProblem(
        "ADMIN_DRAIN_REFUSED",
        409
      )
      const line = test.logs.find(({ message }) => String(message).includes("Admin change"))
      expect(line?.annotations).toMatchObject({ outcome: "refused", subject: "ada" })
    })
  )

  it.effect("a policy, which is no guard, is refused when the plugin is made", () =>
    Effect.sync(() => {
      const owner = Auth.Policy.declare("owner")
      expect(() => Admin.protectedWith("staff", owner as never)).toThrow("needs a guard")
    })
  )
})

describe("the typed client", () => {
  it.live("sends the token, and its changes pass the checks", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.listening(app, { config: { admin: { token } }, values })
      const admin = yield* Client.make(Admin.AdminApi, {
        baseUrl: test.port("admin").url,
        transformClient: HttpClient.mapRequest(HttpClientRequest.bearerToken(token))
      }).pipe(Effect.provide(FetchHttpClient.layer))
      expect((yield* admin.info()).id).toBe("shelf")
      const ran = yield* admin.runAction({
        params: { name: "fill" },
        payload: { payload: { count: 1 } }
      })
      expect(ran).toEqual({ result: { entries: 1 } })
      yield* Effect.flip(admin.drain({ payload: {} }))
    })
  )
})
