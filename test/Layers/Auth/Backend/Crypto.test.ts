import { afterEach, assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Auth from "flange/Auth"
import { TestApp } from "flange/Testing"
import { appWith, bearer } from "../fixtures.ts"

// A test that measures time would be about the machine. What makes time tell nothing can be seen:
// every known secret is compared, found or not, and what is compared always has the same length.
const crypto = process.getBuiltinModule("node:crypto")

afterEach(() => vi.restoreAllMocks())

const tokens = ["first-token", "second-token-that-is-much-longer", "third"]

const compared = (run: Effect.Effect<unknown>) =>
  Effect.gen(function* () {
    const spy = vi.spyOn(crypto, "timingSafeEqual")
    yield* run
    const lengths = spy.mock.calls.flatMap(([a, b]) => [a.byteLength, b.byteLength])
    spy.mockRestore()
    return lengths
  })

describe("comparing secrets", () => {
  it.live("takes as many comparisons of one length for a wrong token as for any right one", () =>
    Effect.gen(function* () {
      const chain = Auth.chain([
        Auth.bearer(
          tokens.map((token) => ({ identity: { subject: "deploy" }, token: Redacted.make(token) }))
        )
      ])
      const test = yield* TestApp.make(appWith(chain).app)
      for (const sent of [...tokens, "", "first-tokem", "x".repeat(5000)]) {
        const reply = sent === "" ? bearer("x") : bearer(sent)
        assert.deepStrictEqual(
          yield* compared(test.get("/me", reply)),
          Array.from({ length: 6 }, () => 32)
        )
      }
    })
  )

  it.live("does not tell which users exist", () =>
    Effect.gen(function* () {
      const chain = Auth.chain([
        Auth.basic({
          validate: Auth.users([
            { password: Redacted.make("one"), username: "ada" },
            { password: Redacted.make("two"), username: "bob" }
          ])
        })
      ])
      const test = yield* TestApp.make(appWith(chain).app)
      for (const [sent, status] of [
        ["ada:one", 200],
        ["bob:two", 200],
        ["ada:two", 401],
        ["nobody:one", 401]
      ] as const) {
        const authorization = `Basic ${Buffer.from(sent).toString("base64")}`
        const get = Effect.map(test.get("/me", { headers: { authorization } }), (reply) =>
          reply.expectStatus(status)
        )
        assert.deepStrictEqual(
          yield* compared(get),
          Array.from({ length: 8 }, () => 32)
        )
      }
    })
  )
})
