/** The header in which a caller sends how long it waits. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { TestApp } from "flange/Testing"
import { make } from "./fixtures.ts"

const any = { config: { timeout: { callers: "any" } } }

const within = (value: string) => ({ headers: { "x-request-timeout": value } })

describe("the deadline of a caller", () => {
  it.effect("shortens the time of a request, and never lengthens it", () =>
    Effect.gen(function* () {
      const { app, begun } = make()
      const test = yield* TestApp.make(app, any)
      for (const [value, limit] of [
        ["1", 1],
        ["250", 250],
        ["1001", 1000],
        ["999999999", 1000]
      ] as const) {
        const fiber = yield* Effect.forkChild(test.get("/wait/9000", within(value)), {
          startImmediately: true
        })
        yield* begun
        yield* TestClock.adjust(limit - 1)
        assert.isUndefined(fiber.pollUnsafe(), value)
        yield* TestClock.adjust(1)
        ;(yield* Fiber.join(fiber)).expectProblem("TIMEOUT", 504)
      }
    })
  )

  it.effect("limits an endpoint whose contract lifts the limit", () =>
    Effect.gen(function* () {
      const { app, begun } = make()
      const test = yield* TestApp.make(app, any)
      const fiber = yield* Effect.forkChild(test.get("/endless", within("70")), {
        startImmediately: true
      })
      yield* begun
      yield* TestClock.adjust(70)
      ;(yield* Fiber.join(fiber)).expectProblem("TIMEOUT", 504)
    })
  )

  it.effect("is what a handler reads", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(make().app, any)
      assert.strictEqual((yield* test.get("/left", within("40"))).json, 40)
    })
  )

  it.effect("that has passed answers the request before its handler runs", () =>
    Effect.gen(function* () {
      const { app, events } = make()
      const test = yield* TestApp.make(app, any)
      ;(yield* test.get("/wait/0", within("0"))).expectProblem("TIMEOUT", 504)
      assert.deepStrictEqual(events, ["504"])
    })
  )

  it.effect("is refused if it is not one whole number of milliseconds", () =>
    Effect.gen(function* () {
      const { app } = make()
      const test = yield* TestApp.make(app, any)
      for (const value of [
        "",
        "-1",
        "+1",
        "1.5",
        "1e9",
        "007",
        "0x10",
        "NaN",
        "Infinity",
        "1s",
        "1000000000",
        "9".repeat(5000),
        "100, 200",
        "100,200",
        "1 2"
      ]) {
        const reply = yield* test.get("/now", within(value))
        reply.expectProblem("MALFORMED_REQUEST", 400, {
          errors: [
            {
              detail:
                "x-request-timeout is not one whole number of milliseconds from 0 to 999999999, such as 1500",
              location: "header",
              pointer: "/x-request-timeout"
            }
          ]
        })
      }
    })
  )

  it.effect("has the header of the configuration", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(make().app, {
        config: { timeout: { callers: "any", header: "X-Patience" } }
      })
      const left = yield* test.get("/left", {
        headers: { "x-patience": "5", "x-request-timeout": "no" }
      })
      assert.strictEqual(left.json, 5)
    })
  )

  it.effect("is ignored unless the address of the caller is in timeout.callers", () =>
    Effect.gen(function* () {
      for (const [callers, trustedProxies, forwarded, expected] of [
        [[], [], undefined, 1000],
        [["127.0.0.1"], [], undefined, 10],
        [["10.0.0.0/8"], [], undefined, 1000],
        // A header of the client is not believed.
        [["10.0.0.0/8"], [], "10.1.2.3", 1000],
        [["10.0.0.0/8"], ["127.0.0.1"], "10.1.2.3", 10],
        [["127.0.0.1"], ["127.0.0.1"], "203.0.113.7", 1000]
      ] as const) {
        const test = yield* TestApp.listening(make().app, {
          config: { server: { trustedProxies }, timeout: { callers } }
        })
        const send = (path: "/left" | "/now", value: string) =>
          test.get(path, {
            headers: {
              "x-request-timeout": value,
              ...(forwarded !== undefined && { "x-forwarded-for": forwarded })
            }
          })
        const label = JSON.stringify({ callers, forwarded })
        assert.strictEqual((yield* send("/left", "10")).json, expected, label)
        assert.strictEqual((yield* send("/now", "-1")).status, expected === 10 ? 400 : 200, label)
      }
    })
  )
})
