import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as Deadline from "../../../src/Plugin/Boot/Deadline.ts"

const limited = Deadline.enforce(Duration.seconds(5), () => "late")

describe("Deadline.enforce", () => {
  it.effect.each([
    ["success", Effect.succeed("done"), Exit.succeed("done")],
    ["failure", Effect.fail("broken"), Exit.fail("broken")],
    ["defect", Effect.die("broken"), Exit.die("broken")]
  ] as const)("an effect that ends in time keeps its %s", ([, effect, exit]) =>
    Effect.gen(function* () {
      expect(yield* Effect.exit(limited(effect))).toEqual(exit)
    })
  )

  it.effect("a late effect is interrupted and fails", () =>
    Effect.gen(function* () {
      const interrupted = yield* Deferred.make<void>()
      const never = Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined))
      const fiber = yield* Effect.forkChild(limited(never))
      yield* TestClock.adjust("5 seconds")
      expect(yield* Fiber.await(fiber)).toEqual(Exit.fail("late"))
      yield* Deferred.await(interrupted)
    })
  )

  it.effect("the end of an uninterruptible region is not waited for", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(limited(Effect.uninterruptible(Effect.never)))
      yield* TestClock.adjust("5 seconds")
      expect(yield* Fiber.await(fiber)).toEqual(Exit.fail("late"))
    })
  )

  it.effect("an interruption from outside waits for the effect to end", () =>
    Effect.gen(function* () {
      const started = yield* Deferred.make<void>()
      const finish = yield* Deferred.make<void>()
      let hasEnded = false
      const effect = Effect.gen(function* () {
        yield* Deferred.succeed(started, undefined)
        yield* Deferred.await(finish)
        hasEnded = true
      })
      const fiber = yield* Effect.forkChild(limited(Effect.uninterruptible(effect)))
      yield* Deferred.await(started)
      const interruption = yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* Effect.yieldNow
      expect(interruption.pollUnsafe()).toBe(undefined)
      yield* Deferred.succeed(finish, undefined)
      yield* Fiber.join(interruption)
      expect(hasEnded).toBe(true)
    })
  )
})
