/** Tests of requests while the store of rate limits is slow or away. */
import { stat } from "node:fs/promises"
import { assert, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/testing/TestClock"
import { RateLimitStoreError } from "flange/RateLimit"
import { Guard } from "../../../src/Layers/RateLimit/Guard.ts"
import type { Shape } from "../../../src/Layers/RateLimit/Store.ts"

const taken: ReadonlyArray<never> = []

const guardOf = (take: Shape["take"], timeout: Duration.Input) =>
  new Guard({ take }, { onOutage: "open", timeout: Duration.fromInputUnsafe(timeout) })

it.live("a decision that arrived in time counts, although the process was busy until later", () =>
  Effect.gen(function* () {
    // Its answer is there at once, and is read in the next turn of the event loop.
    const guard = guardOf(
      () =>
        Effect.as(
          Effect.promise(() => stat(".")),
          taken
        ),
      "50 millis"
    )
    const fiber = yield* Effect.forkChild(guard.take([]), { startImmediately: true })
    const end = performance.now() + 200
    while (performance.now() < end);
    assert.strictEqual(yield* Fiber.join(fiber), taken)
  })
)

it.effect(
  "a request that is interrupted while it tries the store again lets the next one try",
  () =>
    Effect.gen(function* () {
      const down = Effect.fail(new RateLimitStoreError({ cause: "down" }))
      let store: ReturnType<Shape["take"]> = down
      const guard = guardOf(() => store, "250 millis")
      assert.isUndefined(yield* guard.take([]))
      yield* TestClock.adjust("1 second")
      store = Effect.never
      const trying = yield* Effect.forkChild(guard.take([]), { startImmediately: true })
      // Meanwhile the others go on.
      assert.isUndefined(yield* guard.take([]))
      yield* Fiber.interrupt(trying)
      store = Effect.succeed(taken)
      assert.strictEqual(yield* guard.take([]), taken)
    }).pipe(Effect.provide(Logger.layer([])))
)
