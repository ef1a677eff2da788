import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { onAll } from "./Backends.ts"
import { ask, isClean } from "./Load.ts"
import { rig } from "./Rig.ts"

onAll((backend) => {
  const storm = (hold: Effect.Effect<void>, acquireTimeout: string) =>
    Effect.gen(function* () {
      const { all, insert, script, test } = yield* rig(backend, {
        acquireTimeout,
        endpoint: true,
        maxConnections: 4
      })
      script.write = insert("a").pipe(Effect.andThen(hold), Effect.andThen(insert("b")))
      const burst = Effect.forEach(Array.from({ length: 200 }), () => ask(test), {
        concurrency: "unbounded"
      })
      const replies = yield* burst
      expect(replies.filter((reply) => !isClean(reply))).toEqual([])
      const served = replies.filter(({ status }) => status === 200)
      expect(yield* all).toHaveLength(served.length * 2)
      script.write = insert("c")
      const after = yield* ask(test)
      expect(after.status).toBe(200)
      return { refused: 200 - served.length, served: served.length }
    })

  it.live("200 concurrent requests on a pool of 4 are all served where there is time", () =>
    Effect.gen(function* () {
      expect(yield* storm(Effect.void, "1 hour")).toEqual({ refused: 0, served: 200 })
    })
  )

  it.live("200 concurrent requests on a pool of 4 are served or cleanly refused", () =>
    Effect.gen(function* () {
      // A busy machine opens its four connections within the time to wait.
      const { refused, served } = yield* storm(Effect.sleep("1 second"), "3 seconds")
      expect(served).toBeGreaterThan(0)
      expect(refused).toBeGreaterThan(0)
    })
  )
})
