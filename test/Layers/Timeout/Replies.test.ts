/** The time limit of a request whose reply is still being changed, or whose handler does not stop. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Latch from "effect/Latch"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { App, Middleware, Plugin, Route } from "flange"
import { TestApp } from "flange/Testing"
import * as Timeout from "flange/Timeout"
import { make } from "./fixtures.ts"

/** Two transforms: the first encodes replies of 200, and the second waits. */
const changing = (changes: Array<string>, waits: Effect.Effect<void>) =>
  Plugin.make("app:changing", {
    middleware: [
      Middleware.transform("waiting", {
        build: Effect.succeed(() => (_request, { status }) => {
          changes.push(`waiting ${status}`)
          return Effect.as(waits, undefined)
        })
      }),
      Middleware.transform("encoding", {
        build: Effect.succeed(() => (_request, { status }) => {
          changes.push(`encoding ${status}`)
          return status === 200
            ? { body: Buffer.from("encoded"), set: ["content-encoding", "test"] }
            : undefined
        })
      })
    ]
  })

describe("a transform that waits until the time limit", () => {
  const waits = [
    ["stops", Effect.never, 1000],
    ["does not stop", Effect.uninterruptible(Effect.sleep("2 seconds")), 1250]
  ] as const

  for (const [how, waiting, answered] of waits) {
    // Bytes, a stream of a compiled codec, and one of Effect's own handler.
    it.effect.each(["/now", "/patient/0", "/events/0"])(
      `and ${how} is answered with a 504 that has no change of the first reply: %s`,
      (path) =>
        Effect.gen(function* () {
          const changes: Array<string> = []
          const waited = yield* Latch.make()
          const { app, events } = make([changing(changes, Effect.andThen(waited.open, waiting))])
          const test = yield* TestApp.make(app)
          const fiber = yield* Effect.forkChild(test.get(path), { startImmediately: true })
          yield* waited.await
          yield* TestClock.adjust(answered - 1)
          assert.isUndefined(fiber.pollUnsafe())
          yield* TestClock.adjust(1)
          const reply = yield* Fiber.join(fiber)
          reply.expectProblem("TIMEOUT", 504, { activity: "middleware" })
          assert.isFalse(reply.headers.has("content-encoding"))
          // What did not stop has no second reply.
          yield* TestClock.adjust(5000)
          assert.deepStrictEqual(changes, [
            "encoding 200",
            "waiting 200",
            "encoding 504",
            "waiting 504"
          ])
          assert.deepStrictEqual(events, ["504"])
        })
    )
  }
})

describe("a 504", () => {
  it.effect("does not wait for a transform", () =>
    Effect.gen(function* () {
      const changes: Array<string> = []
      const { app, begun } = make([changing(changes, Effect.never)])
      const test = yield* TestApp.make(app)
      const fiber = yield* Effect.forkChild(test.get("/wait/5000"), { startImmediately: true })
      yield* begun
      yield* TestClock.adjust(1000)
      ;(yield* Fiber.join(fiber)).expectProblem("TIMEOUT", 504)
      assert.deepStrictEqual(changes, ["encoding 504", "waiting 504"])
    })
  )
})

class LateApi extends HttpApiGroup.make("late").add(
  HttpApiEndpoint.get("late", "/late", { success: Schema.String })
) {}

describe("a handler that does not stop", () => {
  it.effect("keeps what it acquires behind its reply until it ends", () =>
    Effect.gen(function* () {
      const begun = yield* Latch.make()
      const late: Array<string> = []
      const event = (name: string) => Effect.sync(() => void late.push(name))
      const Late = Plugin.make("app:late", {
        routes: [
          Route.public(LateApi, (handlers) =>
            handlers.handleAll({
              late: () =>
                begun.open.pipe(
                  Effect.andThen(Effect.sleep("2 seconds")),
                  Effect.andThen(Effect.acquireRelease(event("acquired"), () => event("released"))),
                  Effect.andThen(Effect.sleep("1 second")),
                  Effect.andThen(event("ended")),
                  Effect.as("done"),
                  Effect.uninterruptible
                )
            })
          )
        ]
      })
      const app = App.make("late", [Timeout.plugin, Late], {
        config: { values: { timeout: { default: "1 second" } } }
      })
      const test = yield* TestApp.make(app)
      const fiber = yield* Effect.forkChild(test.get("/late"), { startImmediately: true })
      yield* begun.await
      yield* TestClock.adjust(1250)
      ;(yield* Fiber.join(fiber)).expectProblem("TIMEOUT", 504)
      yield* TestClock.adjust(1749)
      assert.deepStrictEqual(late, ["acquired"])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(late, ["acquired", "ended", "released"])
    })
  )
})
