import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { App, type Plugin } from "flange"
import * as Auth from "flange/Auth"
import * as OpenApi from "flange/OpenApi"
import * as RateLimit from "flange/RateLimit"
import { TestApp } from "flange/Testing"
import { GreetPlugin, OrdersPlugin, StatusPlugin } from "./fixtures.ts"

const chain = (name: string) =>
  Auth.chain(
    [
      Auth.apiKey({
        source: Auth.header(name),
        validate: Auth.keys([{ identity: { subject: "robot" }, key: Redacted.make("key") }])
      })
    ],
    { unauthenticated: "anonymous" }
  )

const AuthPlugin = Auth.plugin({
  chains: { partner: chain("x-partner") },
  default: chain("x-api-key")
})

interface Json {
  readonly [key: string]: Json
}

/** Returns the 429 of each of the paths, from the document that the app serves. */
const refusals = (batteries: ReadonlyArray<Plugin.Any>, enabled: boolean) =>
  Effect.gen(function* () {
    const test = yield* TestApp.make(
      // The list is a plain one, so its types do not know what it provides.
      App.make("orders", [...batteries, StatusPlugin, OrdersPlugin, GreetPlugin] as never),
      { config: { guessing: { enabled } } }
    )
    const { paths } = (yield* test.get("/openapi.json")).json as Json
    return ["/me", "/greet", "/status"].map((path) => paths![path]!["get"]!["responses"]!["429"])
  })

describe("the limit of wrong credentials in the OpenAPI document", () => {
  it.effect("is a 429 with Retry-After where callers are authenticated", () =>
    Effect.gen(function* () {
      const [me, greet, status] = yield* refusals([OpenApi.plugin, AuthPlugin], true)
      for (const refusal of [me, greet]) {
        assert.containsSubset(refusal, { headers: { "retry-after": { required: true } } })
      }
      assert.isUndefined(status)
    })
  )

  it.effect("is not there if it is off", () =>
    Effect.gen(function* () {
      const found = yield* refusals([OpenApi.plugin, AuthPlugin], false)
      assert.deepStrictEqual(found, [undefined, undefined, undefined])
    })
  )

  it.effect("leaves the 429 of a limit of requests, in any order of the plugins", () =>
    Effect.gen(function* () {
      const before = yield* refusals([RateLimit.plugin, AuthPlugin, OpenApi.plugin], false)
      const after = yield* refusals([AuthPlugin, RateLimit.plugin, OpenApi.plugin], false)
      for (const [me, greet, status] of [before, after]) {
        assert.isDefined(me)
        assert.isDefined(greet)
        assert.isUndefined(status)
      }
    })
  )
})
