/** Keys of requests that exceed their time limit. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { TestApp } from "flange/Testing"
import * as Timeout from "flange/Timeout"
import { until } from "./conformance.ts"
import { ada, make } from "./fixtures.ts"

const book = { json: { what: "book" } }

describe("a request with a key", () => {
  it.live("that is interrupted at its time limit frees its key", () =>
    Effect.gen(function* () {
      let waits = true
      const { app, ran } = make({
        before: [Timeout.plugin],
        during: () => (waits ? Effect.never : Effect.void),
        values: { timeout: { default: "50 millis" } }
      })
      const test = yield* TestApp.make(app)
      const send = test.post("/orders", { ...book, headers: ada("k") })
      ;(yield* send).expectProblem("TIMEOUT", 504)
      waits = false
      const second = (yield* send).expectStatus(200)
      assert.isFalse(second.headers.has("idempotency-replayed"))
      assert.deepStrictEqual(ran, ["book", "book"])
    })
  )

  it.live(
    "that does not stop at its time limit is in use until it ends, and is replayed then",
    () =>
      Effect.gen(function* () {
        const ends = Deferred.makeUnsafe<void>()
        const { app, ran } = make({
          before: [Timeout.plugin],
          during: () => Deferred.await(ends),
          isUninterruptible: true,
          values: { timeout: { default: "50 millis" } }
        })
        const test = yield* TestApp.make(app)
        const send = test.post("/orders", { ...book, headers: ada("k") })
        ;(yield* send).expectProblem("TIMEOUT", 504)
        ;(yield* send).expectProblem("IDEMPOTENCY_KEY_IN_USE", 409).expectHeader("retry-after", "1")
        yield* Deferred.succeed(ends, undefined)
        yield* until(Effect.map(send, ({ status }) => status === 200))
        ;(yield* send).expectStatus(200).expectHeader("idempotency-replayed", "true")
        assert.deepStrictEqual(ran, ["book"])
      })
  )
})
