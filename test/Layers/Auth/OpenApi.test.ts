import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Redacted from "effect/Redacted"
import { App } from "flange"
import * as Auth from "flange/Auth"
import { plugin as OpenApiPlugin } from "flange/OpenApi"
import { problemsOf } from "../OpenApi/document.ts"
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

  it("describes client certificates as mutualTLS, which no challenge asks for", async () => {
    const Certified = Auth.plugin({
      default: Auth.chain([
        Auth.clientCertificate({ validate: () => Effect.succeedNone }),
        apiKey(Auth.header("X-Api-Key"))
      ])
    })
    const shop = App.make("shop", [Certified, OpenApiPlugin, OrdersPlugin, StatusPlugin], {
      config: { values: { logging: { level: "none" } }, variables: {} }
    })
    const web = App.toWebHandler(shop)
    try {
      const reply = await web.handler(new Request("http://a/openapi.json"))
      const served = (await reply.json()) as OpenApi.OpenAPISpec
      assert.deepStrictEqual(problemsOf(served), [])
      for (const { components, paths } of [served, OpenApi.fromApi(shop.api)]) {
        assert.deepStrictEqual(JSON.parse(JSON.stringify(components.securitySchemes)), {
          "api-key": { in: "header", name: "x-api-key", type: "apiKey" },
          certificate: { type: "mutualTLS" }
        })
        assert.deepStrictEqual(paths["/me"]?.get?.security, [
          { certificate: [] },
          { "api-key": [] }
        ])
        assert.deepStrictEqual(paths["/status"]?.get?.security ?? [], [])
      }
      const { headers, status } = await web.handler(new Request("http://a/me"))
      assert.strictEqual(status, 401)
      assert.strictEqual(
        headers.get("www-authenticate"),
        'ApiKey realm="api", in="header", name="x-api-key"'
      )
    } finally {
      await web.dispose()
    }
  })
})
