import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as TestClock from "effect/testing/TestClock"
import { onAll } from "./drills/Backends.ts"
import { rig } from "./drills/Rig.ts"

onAll((backend) => {
  it.effect.each([
    ["plain query", {}],
    ["transactional query", { endpoint: true }]
  ] as const)("a test's clock does not end the wait for a connection of a %s", ([, words]) =>
    Effect.gen(function* () {
      const { script, sql, test } = yield* rig(backend, { ...words, maxConnections: 1 })
      const free = yield* Latch.make()
      const held = yield* Latch.make()
      // The only connection is in use, so the handler has to wait.
      const holder = yield* Effect.forkChild(
        sql.withTransaction(Effect.andThen(held.open, free.await))
      )
      yield* held.await
      script.write = Effect.orDie(sql`select 1 as one`)
      const reply = yield* Effect.forkChild(test.post("/write"))
      yield* TestClock.adjust("1 hour")
      yield* free.open
      yield* Fiber.join(holder)
      ;(yield* Fiber.join(reply)).expectStatus(200)
    })
  )

  it.effect("nor the first connect of a pool", () =>
    Effect.gen(function* () {
      const { script, sql, test } = yield* rig(backend, { maxConnections: 4 })
      script.write = Effect.orDie(sql`select 1 as one`)
      const replies = yield* Effect.forkChild(
        Effect.all(
          Array.from({ length: 4 }, () => test.post("/write")),
          { concurrency: "unbounded" }
        )
      )
      yield* Effect.yieldNow
      yield* TestClock.adjust("1 hour")
      for (const reply of yield* Fiber.join(replies)) reply.expectStatus(200)
    })
  )
})
