import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { expect, it } from "vitest"
import * as OwnFiber from "../../../src/Layers/Jobs/OwnFiber.ts"

it("a value that is no effect is a defect, and finalizers outside of the fiber run", async () => {
  let isReleased = false
  const broken = Effect.flatMap(Effect.void, () => undefined as unknown as Effect.Effect<void>)
  const exit = await Effect.runPromise(
    Effect.exit(
      Effect.ensuring(
        OwnFiber.run(broken),
        Effect.sync(() => {
          isReleased = true
        })
      )
    )
  )
  expect(String(exit)).toContain("Not a valid effect")
  expect(isReleased).toBe(true)
})

it("an interruption waits for the finalizers of the effect", async () => {
  const ended: Array<string> = []
  const exit = await Effect.runPromise(
    Effect.gen(function* () {
      const slow = Effect.onInterrupt(Effect.never, () =>
        Effect.andThen(
          Effect.sleep(5),
          Effect.sync(() => ended.push("effect"))
        )
      )
      const fiber = yield* Effect.forkChild(
        Effect.ensuring(
          OwnFiber.run(slow),
          Effect.sync(() => ended.push("caller"))
        ),
        { startImmediately: true }
      )
      yield* Fiber.interrupt(fiber)
      return yield* Fiber.await(fiber)
    })
  )
  expect(ended).toEqual(["effect", "caller"])
  expect(Exit.hasInterrupts(exit)).toBe(true)
})
