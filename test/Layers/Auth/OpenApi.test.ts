import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Redacted from "effect/Redacted"
import { App, type Plugin } from "flange"
import * as Auth from "flange/Auth"
import * as FlangeOpenApi from "flange/OpenApi"
import * as RateLimit from "flange/RateLimit"
import { TestApp } from "flange/Testing"
import { GreetPlugin, OrdersPlugin, StatusPlugin } from "./fixtures.ts"
import { audience, issuer, secret } from "./Jwt/tokens.ts"

const apiKey = (source: Auth.Source) =>
  Auth.apiKey({
    source,
    validate: Auth.keys([{ identity: { subject: "robot" }, key: Redacted.make("key") }])
  })

const AuthPlugin = Auth.plugin({
  chains: { partner: Auth.chain([apiKey(Auth.query("key"))]) },
  default: Auth.chain(
    [
      Auth.jwt({ audience, issuer, keys: Auth.secret(secret) }),
      apiKey(Auth.header("X-Api-Key")),
      Auth.basic({ validate: Auth.users([]) })
    ],
    { unauthenticated: "anonymous" }
  )
})

const app = App.make("orders", [AuthPlugin, StatusPlugin, OrdersPlugin, GreetPlugin])
const document = OpenApi.fromApi(app.api)

const of = (method: "get" | "post", path: string) => document.paths[path]![method]!

const withScopes = (...scopes: Array<string>): Array<Record<string, Array<string>>> => [
  { jwt: scopes },
  { "api-key": scopes },
  { basic: scopes }
]

describe("the OpenAPI document", () => {
  it("has the schemes of the chains that routes name", () => {
    assert.deepStrictEqual(JSON.parse(JSON.stringify(document.components.securitySchemes)), {
      "api-key": { in: "header", name: "x-api-key", type: "apiKey" },
      basic: { scheme: "basic", type: "http" },
      jwt: { bearerFormat: "JWT", scheme: "Bearer", type: "http" }
    })
  })

  it("says which of them an operation takes, and with which scopes", () => {
    assert.deepStrictEqual(of("get", "/me").security, withScopes())
    assert.deepStrictEqual(of("post", "/orders").security, withScopes("orders:write"))
    assert.deepStrictEqual(of("get", "/orders").security, [
      { jwt: ["orders:read"] },
      { jwt: ["orders:write"] },
      { "api-key": ["orders:read"] },
      { "api-key": ["orders:write"] },
      { basic: ["orders:read"] },
      { basic: ["orders:write"] }
    ])
    assert.deepStrictEqual(of("get", "/greet").security, [...withScopes(), {}])
    assert.deepStrictEqual(of("get", "/status").security, [])
  })

  it("has 401 with its header where callers are authenticated, and 403 where they may be refused", () => {
    const statuses = (method: "get" | "post", path: string) =>
      Object.keys(of(method, path).responses).filter((status) => status.startsWith("40"))
    assert.includeMembers(statuses("get", "/me"), ["401"])
    assert.notInclude(statuses("get", "/me"), "403")
    assert.includeMembers(statuses("post", "/orders"), ["401", "403"])
    assert.includeMembers(statuses("get", "/tenants/{tenant}"), ["401", "403"])
    assert.notInclude(statuses("get", "/status"), "401")
    const headers = of("get", "/me").responses[401]!.headers
    assert.deepStrictEqual(Object.keys(headers ?? {}), ["www-authenticate"])
  })
})

describe("the limit of wrong credentials in the OpenAPI document", () => {
  it("is a 429 with Retry-After where callers are authenticated", () => {
    for (const operation of [of("get", "/me"), of("post", "/orders"), of("get", "/greet")]) {
      assert.containsSubset(operation.responses[429], {
        headers: { "retry-after": { required: true } }
      })
    }
    assert.notProperty(of("get", "/status").responses, "429")
  })

  const limited = (plugins: ReadonlyArray<Plugin.Any>, enabled: boolean) =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(
        App.make("orders", [StatusPlugin, OrdersPlugin, GreetPlugin, AuthPlugin, ...plugins]),
        { config: { guessing: { enabled } } }
      )
      const { paths } = (yield* test.get("/openapi.json")).json as typeof document
      return ["/me", "/greet", "/status"].filter(
        (path) => paths[path]!.get!.responses[429] !== undefined
      )
    })

  it.effect("is in the document of an app if it is on", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* limited([FlangeOpenApi.plugin], true), ["/me", "/greet"])
      assert.deepStrictEqual(yield* limited([FlangeOpenApi.plugin], false), [])
    })
  )

  it.effect("leaves that of another limit, in any order of the plugins", () =>
    Effect.gen(function* () {
      for (const plugins of [
        [FlangeOpenApi.plugin, RateLimit.plugin],
        [RateLimit.plugin, FlangeOpenApi.plugin]
      ]) {
        assert.deepStrictEqual(yield* limited(plugins, false), ["/me", "/greet"])
      }
    })
  )
})
