/** Tests of what plugins read and record of the time of a request. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { Deadline } from "../../src/index.ts"

describe("Deadline", () => {
  it.effect("remaining is undefined without a deadline, and never below zero", () =>
    Effect.gen(function* () {
      assert.isUndefined(yield* Deadline.remaining)
      yield* TestClock.setTime(1000)
      const left = (deadline: number) =>
        Effect.provideService(Deadline.remaining, Deadline.Deadline, deadline)
      assert.strictEqual(yield* left(1250), 250)
      assert.strictEqual(yield* left(999), 0)
    })
  )

  it.effect("an activity is recorded while it runs, also if it is interrupted or fails", () =>
    Effect.gen(function* () {
      const spent = new Deadline.TimeSpent()
      const run = <A, E>(effect: Effect.Effect<A, E>) =>
        Effect.forkChild(Effect.provideService(effect, Deadline.CurrentTimeSpent, spent))
      const outer = yield* run(
        Deadline.during(
          "cache",
          Effect.andThen(Effect.sleep(10), Deadline.during("SQL", Effect.never))
        )
      )
      const failing = yield* run(
        Deadline.during("outgoing call", Effect.andThen(Effect.sleep(5), Effect.fail("no")))
      )
      yield* TestClock.adjust(30)
      assert.strictEqual((yield* Fiber.await(failing))._tag, "Failure")
      assert.strictEqual(spent.current, "SQL")
      assert.deepStrictEqual(spent.totals(30), { cache: 30, "outgoing call": 5, SQL: 20 })
      yield* Fiber.interrupt(outer)
      assert.isUndefined(spent.current)
      assert.deepStrictEqual(spent.totals(99), { cache: 30, "outgoing call": 5, SQL: 20 })
    })
  )

  it("runs of one activity at the same time count once", () => {
    const spent = new Deadline.TimeSpent()
    spent.begin("SQL", 0)
    spent.begin("SQL", 10)
    spent.end("SQL", 20)
    spent.end("SQL", 30)
    assert.deepStrictEqual(spent.totals(50), { SQL: 30 })
  })
})
