/** The span of an authentication that waits. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { App } from "flange"
import * as Auth from "flange/Auth"
import { TestApp } from "flange/Testing"
import { attributesOf, kept, parentOf } from "../../tracing.ts"
import { bearer, OrdersPlugin } from "./fixtures.ts"

const later = Auth.apiKey({
  validate: () =>
    Effect.yieldNow.pipe(Effect.as(Option.some({ subject: "robot" })), Effect.withSpan("lookup"))
})

const now = Auth.bearer([
  { identity: { subject: "deploy" }, token: Redacted.make("a-token-that-nobody-guesses") }
])

describe("the span of the authentication", () => {
  it.live("is there if it waits and the request is sampled, with the spans inside", () =>
    Effect.gen(function* () {
      for (const isSampled of [true, false]) {
        const { named, plugin, spans } = kept(() => isSampled)
        const chain = Auth.chain([later, now])
        const test = yield* TestApp.make(
          App.make("orders", [plugin, Auth.plugin({ default: chain }), OrdersPlugin])
        )
        ;(yield* test.get("/me", bearer("a-token-that-nobody-guesses"))).expectStatus(200)
        assert.notInclude(
          spans.map(({ name }) => name),
          "authentication"
        )
        spans.length = 0
        ;(yield* test.get("/me", { headers: { "x-api-key": "secret" } })).expectStatus(200)
        if (!isSampled) {
          // A backend has the tracer of its app, which tracers tell by `sampled`.
          assert.deepStrictEqual(
            spans.map(({ name, sampled }) => [name, sampled]),
            [["lookup", false]]
          )
          continue
        }
        const span = named("authentication")
        assert.deepStrictEqual(attributesOf(span), { chain: "default" })
        assert.strictEqual(parentOf(span), named("GET /me").spanId)
        assert.strictEqual(parentOf(named("lookup")), span.spanId)
        assert.notInclude(JSON.stringify(spans.map(attributesOf)), "secret")
      }
    })
  )
})
