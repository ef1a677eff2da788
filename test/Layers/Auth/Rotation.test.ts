// Keys that change while the app serves requests.
import { setImmediate as turn } from "node:timers/promises"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Auth from "flange/Auth"
import { TestSecrets } from "flange/Secrets/Testing"
import { TestApp } from "flange/Testing"
import { appWith, bearer } from "./fixtures.ts"
import { audience, claims, hmac, issuer } from "./Jwt/tokens.ts"

const keyOf = (letter: string) => letter.repeat(32)

const jwtChain = (memory: ReturnType<typeof TestSecrets.make>) =>
  Auth.chain([
    Auth.jwt({
      audience,
      issuer,
      keys: Auth.anyKey(
        ["jwt-a", "jwt-b"].map((name) => Auth.secret(memory.provider.read(name), { kid: name }))
      )
    })
  ])

const tokenOf = (name: string, letter: string) =>
  hmac(claims(), { header: { kid: name }, key: keyOf(letter) })

describe("Keys of tokens that are effects", () => {
  it.live("change under load without a refused request", () =>
    Effect.gen(function* () {
      const memory = TestSecrets.make({ "jwt-a": keyOf("a"), "jwt-b": keyOf("b") })
      const test = yield* TestApp.make(appWith(jwtChain(memory)).app)
      const state = { isDone: false, token: tokenOf("jwt-a", "a") }
      const statuses: Array<number> = []
      const client = Effect.gen(function* () {
        while (!state.isDone) {
          statuses.push((yield* test.get("/me", bearer(state.token))).status)
          // Requests in memory never wait, and timers have their turn after them.
          yield* Effect.promise(() => turn())
        }
      })
      const clients = yield* Effect.forkChild(
        Effect.all(
          Array.from({ length: 16 }, () => client),
          { concurrency: "unbounded" }
        )
      )
      const served = (count: number) =>
        Effect.suspend(() => {
          const end = statuses.length + count
          return Effect.repeat(Effect.sleep(1), { until: () => statuses.length >= end })
        })
      for (const [name, letter] of [
        ["jwt-b", "c"],
        ["jwt-a", "d"],
        ["jwt-b", "e"]
      ] as const) {
        yield* Effect.raceFirst(served(50), Fiber.join(clients))
        // The key that is not in use changes, and then the issuer uses it.
        memory.set(name, keyOf(letter))
        yield* Effect.raceFirst(served(50), Fiber.join(clients))
        state.token = tokenOf(name, letter)
        yield* Effect.raceFirst(served(50), Fiber.join(clients))
      }
      state.isDone = true
      yield* Fiber.join(clients)
      expect(new Set(statuses)).toEqual(new Set([200]))
      for (const [name, letter] of [
        ["jwt-a", "a"],
        ["jwt-b", "b"],
        ["jwt-b", "c"]
      ] as const) {
        const reply = yield* test.get("/me", bearer(tokenOf(name, letter)))
        expect(reply.status).toBe(401)
      }
    })
  )

  it.live("that cannot be read, or are too short, are answered with 503", () =>
    Effect.gen(function* () {
      const memory = TestSecrets.make({ "jwt-a": keyOf("a"), "jwt-b": keyOf("b") })
      const test = yield* TestApp.make(appWith(jwtChain(memory)).app)
      const status = Effect.map(
        test.get("/me", bearer(tokenOf("jwt-a", "a"))),
        (reply) => reply.status
      )
      expect(yield* status).toBe(200)
      memory.setAway(true)
      expect(yield* status).toBe(503)
      memory.setAway(false)
      memory.set("jwt-a", "short")
      expect(yield* status).toBe(503)
      memory.set("jwt-a", keyOf("a"))
      expect(yield* status).toBe(200)
    })
  )

  it.live("that cannot be read at start stop it, with the reason", () =>
    Effect.gen(function* () {
      const memory = TestSecrets.make({ "jwt-a": keyOf("a") })
      const error = yield* Effect.flip(TestApp.make(appWith(jwtChain(memory)).app))
      expect(String((error as Error).message)).toContain(
        'Backend "jwt": the secret cannot be read. The secret "jwt-b" does not exist'
      )
      memory.set("jwt-b", "short")
      const short = yield* Effect.flip(TestApp.make(appWith(jwtChain(memory)).app))
      expect(String((short as Error).message)).toContain("the secret has 5 bytes")
    })
  )
})

describe("API keys that are effects", () => {
  it.live("change while the app runs, and fail no other key if they cannot be read", () =>
    Effect.gen(function* () {
      const memory = TestSecrets.make({ acme: "acme-1" })
      const validate = Auth.keys([
        { identity: { subject: "acme" }, key: memory.provider.read("acme") },
        { identity: { subject: "fixed" }, key: Redacted.make("fixed-1") }
      ])
      const test = yield* TestApp.make(appWith(Auth.chain([Auth.apiKey({ validate })])).app)
      const statusOf = (key: string) =>
        Effect.map(test.get("/me", { headers: { "x-api-key": key } }), (reply) => reply.status)
      expect(yield* statusOf("acme-1")).toBe(200)
      memory.set("acme", "acme-2")
      expect(yield* statusOf("acme-2")).toBe(200)
      expect(yield* statusOf("acme-1")).toBe(401)
      memory.setAway(true)
      expect(yield* statusOf("fixed-1")).toBe(200)
      expect(yield* statusOf("acme-2")).toBe(503)
    })
  )
})
