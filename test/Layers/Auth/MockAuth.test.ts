import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { App, CurrentIdentity, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"
import { MockAuth } from "flange/Auth/Testing"
import { TestApp } from "flange/Testing"

const chainOf = (subject: string) =>
  Auth.chain([Auth.bearer([{ identity: { subject }, token: Redacted.make(`${subject}-token`) }])])

const AuthPlugin = Auth.plugin({
  chains: { partner: chainOf("acme") },
  default: chainOf("deploy")
})

const success = Schema.String
class MeApi extends HttpApiGroup.make("me").add(HttpApiEndpoint.get("me", "/me", { success })) {}
class PartnerApi extends HttpApiGroup.make("partner").add(
  HttpApiEndpoint.get("who", "/partner", { success })
) {}
const who = () => CurrentIdentity.useSync(({ method, subject }) => `${subject} by ${method}`)
const MePlugin = Plugin.make("app:me", {
  routes: [
    Route.protected(MeApi, (handlers) => handlers.handleAll({ me: who })),
    Route.protectedWith("partner")(PartnerApi, (handlers) => handlers.handleAll({ who }))
  ]
})
const app = App.make("me", [AuthPlugin, MePlugin])

const chains = ["partner"] as const

describe("MockAuth", () => {
  it.live("stands in for every chain of the app's own authentication", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app, {
        replace: [[AuthPlugin, MockAuth.as("ada", { chains })]]
      })
      assert.strictEqual(yield* test.client.me.me(), "ada by mock")
      assert.strictEqual(yield* test.client.partner.who(), "ada by mock")
    })
  )

  it.live("gives an identity as it is", () =>
    Effect.gen(function* () {
      const robot = Auth.identity({ isServiceAccount: true, subject: "robot" }, "certificate")
      const test = yield* TestApp.make(app, {
        replace: [[AuthPlugin, MockAuth.identity(robot, { chains })]]
      })
      assert.strictEqual(yield* test.client.me.me(), "robot by certificate")
    })
  )

  it.live("lets nobody in when anonymous, whatever the request brings", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app, {
        replace: [[AuthPlugin, MockAuth.anonymous({ chains })]]
      })
      const reply = yield* test.get("/me", { headers: { authorization: "Bearer deploy-token" } })
      reply
        .expectProblem("UNAUTHENTICATED", 401)
        .expectHeader("www-authenticate", 'Custom realm="api"')
    })
  )

  it.live("is not needed: a real chain answers, each for its own routes", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app)
      const get = (path: string, token: string) =>
        Effect.map(
          test.get(path, { headers: { authorization: `Bearer ${token}` } }),
          ({ status }) => status
        )
      assert.strictEqual(yield* get("/me", "deploy-token"), 200)
      assert.strictEqual(yield* get("/partner", "acme-token"), 200)
      assert.strictEqual(yield* get("/me", "acme-token"), 401)
      assert.strictEqual(yield* get("/partner", "deploy-token"), 401)
    })
  )
})
