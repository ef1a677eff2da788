// What AWS is asked, and how often.
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { SecretNotFound, SecretUnavailable } from "flange/Secrets"
import * as Make from "../../../src/Layers/Secrets/Make.ts"
import { capacity } from "../../../src/Layers/Secrets/Refreshed.ts"
import { awsServer } from "./awsServer.ts"
import { settings } from "./providers.ts"

const values = { "database-password": "hunter2" }

const opened = Effect.gen(function* () {
  const server = yield* awsServer(values)
  const secrets = yield* Make.make(
    settings({ endpoint: server.url, providers: ["aws"], region: "eu-west-1" })
  )
  return { secrets, server }
})

describe("A secret of AWS", () => {
  it.effect("is read once for callers at the same time, and once for each ttl", () =>
    Effect.gen(function* () {
      const { secrets, server } = yield* opened
      const get = secrets.get("database-password")
      const all = yield* Effect.all(
        Array.from({ length: 100 }, () => get),
        {
          concurrency: "unbounded"
        }
      )
      expect(new Set(all).size).toBe(1)
      yield* TestClock.adjust("299 seconds")
      yield* get
      expect(server.requests).toHaveLength(1)
      yield* TestClock.adjust("1 second")
      yield* Effect.all(
        Array.from({ length: 100 }, () => get),
        { concurrency: "unbounded" }
      )
      expect(server.requests).toHaveLength(2)
    })
  )

  it.effect("is read again after its ttl although the clock was set back", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("2 hours")
      const { secrets, server } = yield* opened
      const get = secrets.get("database-password")
      yield* get
      yield* TestClock.setTime(0)
      yield* TestClock.adjust("300 seconds")
      yield* get
      expect(server.requests).toHaveLength(2)
    })
  )

  it.effect("is unavailable if the reply is longer than any of the service", () =>
    Effect.gen(function* () {
      const { secrets, server } = yield* opened
      server.values.set("database-password", "x".repeat(33 * 2 ** 20))
      expect(yield* Effect.flip(secrets.get("database-password"))).toMatchObject({
        _tag: "SecretUnavailable",
        reason: expect.stringContaining("a reply of more than 33554432 bytes")
      })
    })
  )

  it.effect("reaches the others if the caller that began the read is interrupted", () =>
    Effect.gen(function* () {
      const { secrets, server } = yield* opened
      const gate = yield* Deferred.make<void>()
      server.wait = Effect.runPromise(Deferred.await(gate))
      const first = yield* Effect.forkChild(secrets.get("database-password"), {
        startImmediately: true
      })
      const second = yield* Effect.forkChild(secrets.get("database-password"), {
        startImmediately: true
      })
      yield* Fiber.interrupt(first)
      yield* Deferred.succeed(gate, undefined)
      expect(Redacted.value(yield* Fiber.join(second))).toBe("hunter2")
      expect(server.requests).toHaveLength(1)
    })
  )

  it.effect("that does not exist is asked for once a second at most", () =>
    Effect.gen(function* () {
      const { secrets, server } = yield* opened
      const get = Effect.flip(secrets.get("no-such"))
      yield* Effect.all(
        Array.from({ length: 50 }, () => get),
        { concurrency: 5 }
      )
      expect(server.requests).toHaveLength(1)
      yield* TestClock.adjust("1 second")
      yield* get
      expect(server.requests).toHaveLength(2)
    })
  )

  it.effect("that AWS refuses is asked for once a second at most, and the error tells why", () =>
    Effect.gen(function* () {
      const { secrets, server } = yield* opened
      server.isBroken = true
      const error = yield* Effect.flip(secrets.get("database-password"))
      yield* Effect.flip(secrets.get("database-password"))
      expect(error).toBeInstanceOf(SecretUnavailable)
      expect(error.message).toContain("AccessDeniedException: User: arn:aws:iam::1:user/shop")
      expect(server.requests).toHaveLength(1)
      server.isBroken = false
      yield* TestClock.adjust("1 second")
      expect(Redacted.value(yield* secrets.get("database-password"))).toBe("hunter2")
    })
  )

  it.effect("that is marked for deletion is missing, and not used from memory", () =>
    Effect.gen(function* () {
      const { secrets, server } = yield* opened
      yield* secrets.get("database-password")
      server.error = {
        Message:
          "You can't perform this operation on the secret because it was marked for deletion.",
        __type: "InvalidRequestException"
      }
      yield* TestClock.adjust("5 minutes")
      const error = yield* Effect.flip(secrets.get("database-password"))
      expect(error).toBeInstanceOf(SecretNotFound)
    })
  )

  it.effect("takes the place of the one that was not used for the longest time", () =>
    Effect.gen(function* () {
      const { secrets, server } = yield* opened
      yield* secrets.get("database-password")
      yield* Effect.forEach(
        Array.from({ length: capacity - 1 }, (_, index) => `none-${index}`),
        (name) => Effect.flip(secrets.get(name)),
        { concurrency: 16 }
      )
      yield* secrets.get("database-password")
      expect(server.requests).toHaveLength(capacity)
      yield* Effect.flip(secrets.get("one-more"))
      yield* secrets.get("database-password")
      expect(server.requests).toHaveLength(capacity + 1)
      yield* Effect.flip(secrets.get("none-0"))
      expect(server.requests).toHaveLength(capacity + 2)
    })
  )
})
