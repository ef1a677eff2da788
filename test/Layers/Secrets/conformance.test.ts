// What `Secrets` does on every provider.
import { inspect } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { SecretNotFound, SecretUnavailable } from "flange/Secrets"
import { backends } from "./providers.ts"

const password = "p4ss w0rd: ü/§ 100%"

describe.each(backends)("Secrets on $name", ({ missing, open }) => {
  const opened = open({ "api.key_2": "k-2", "database-password": password })

  it.effect("a secret is read as it was written", () =>
    Effect.gen(function* () {
      const { secrets } = yield* opened
      expect(Redacted.value(yield* secrets.get("database-password"))).toBe(password)
      expect(Redacted.value(yield* secrets.get("api.key_2"))).toBe("k-2")
    })
  )

  it.effect("two reads of an unchanged secret return the same object", () =>
    Effect.gen(function* () {
      const { secrets, ttl } = yield* opened
      const before = yield* secrets.get("database-password")
      yield* TestClock.adjust(ttl)
      expect(yield* secrets.get("database-password")).toBe(before)
    })
  )

  it.effect("a secret shows its value in no text", () =>
    Effect.gen(function* () {
      const { secrets } = yield* opened
      const value = yield* secrets.get("database-password")
      for (const text of [
        String(value),
        JSON.stringify({ value }),
        inspect({ secrets, value }, { depth: 9 })
      ]) {
        expect(text).not.toContain("w0rd")
      }
    })
  )

  it.effect("a secret that does not exist fails with its name, the provider and what to do", () =>
    Effect.gen(function* () {
      const { secrets } = yield* opened
      const error = yield* Effect.flip(secrets.get("no-such"))
      expect(error).toBeInstanceOf(SecretNotFound)
      expect(error.message).toMatch(/^The secret "no-such" does not exist /)
      expect(error.message).toMatch(missing)
    })
  )

  it.effect.each([
    "",
    ".",
    "..",
    "../database-password",
    "..data/database-password",
    "/etc/passwd",
    "a//b",
    "a/../database-password",
    "a/./b",
    "a/",
    "a\0b",
    "a b",
    "a\nb",
    "%2e%2e/x",
    "a".repeat(256),
    "..\\x"
  ])("the name %j is refused", (name) =>
    Effect.gen(function* () {
      const { secrets } = yield* opened
      const error = yield* Effect.flip(secrets.get(name))
      expect(error).toBeInstanceOf(SecretNotFound)
      expect(error.message).toContain("write a name of at most 255 letters")
    })
  )

  it.effect("a changed secret is read within the ttl", () =>
    Effect.gen(function* () {
      const { secrets, set, ttl } = yield* opened
      if (set === undefined) return
      yield* secrets.get("database-password")
      yield* set("database-password", "second")
      yield* TestClock.adjust(ttl)
      expect(Redacted.value(yield* secrets.get("database-password"))).toBe("second")
    })
  )

  it.effect("a removed secret is missing after the ttl, and found again when it is back", () =>
    Effect.gen(function* () {
      const { remove, secrets, set, ttl } = yield* opened
      if (remove === undefined || set === undefined) return
      yield* secrets.get("database-password")
      yield* remove("database-password")
      yield* TestClock.adjust(ttl)
      expect(yield* Effect.flip(secrets.get("database-password"))).toBeInstanceOf(SecretNotFound)
      yield* set("database-password", "back")
      yield* TestClock.adjust("1 second")
      expect(Redacted.value(yield* secrets.get("database-password"))).toBe("back")
    })
  )

  it.effect("a secret that cannot be read again stays in use until maxStale", () =>
    Effect.gen(function* () {
      const { breakReads, secrets, ttl } = yield* opened
      if (breakReads === undefined) return
      const before = yield* secrets.get("database-password")
      yield* breakReads(true)
      yield* TestClock.adjust(ttl)
      expect(yield* secrets.get("database-password")).toBe(before)
      expect(secrets.stats()).toMatchObject({ failures: 1, stale: ["database-password"] })
      yield* TestClock.adjust("24 hours")
      const error = yield* Effect.flip(secrets.get("database-password"))
      expect(error).toBeInstanceOf(SecretUnavailable)
      expect(error.message).not.toContain("w0rd")
      yield* breakReads(false)
      yield* TestClock.adjust("1 second")
      expect(Redacted.value(yield* secrets.get("database-password"))).toBe(password)
      expect(secrets.stats().stale).toEqual([])
    })
  )
})
