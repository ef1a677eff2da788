import * as Effect from "effect/Effect"
import { expect, it, vi } from "vitest"
import { MemoryStore } from "../../../src/Layers/Queue/MemoryStore.ts"
import type { Outcome, State } from "../../../src/Layers/Queue/QueueStore.ts"

const outcomes: ReadonlyArray<Outcome> = [
  { _tag: "Completed", result: undefined },
  { _tag: "Dead", failure: "{}" },
  { _tag: "Released" },
  { _tag: "Retry", delay: 0, failure: "{}" },
  { _tag: "Retry", delay: 1000, failure: "{}" }
]

it("the counts are those of the items after any operations, and no item is looked at for them", () =>
  Effect.runPromise(
    Effect.gen(function* () {
      const store = new MemoryStore()
      for (let i = 0; i < 500; i++) {
        const offers = ["a", "b", "c"].map((part) => ({
          delay: i % 7 === 0 ? 1000 : 0,
          element: "",
          id: `${part}${i}`,
          keep: i % 2 === 0,
          priority: i % 3,
          tenant: `t${i % 4}`
        }))
        yield* store.offer("q", offers)
        const { items } = yield* store.claim("q", {
          lease: i % 11 === 0 ? 0 : 1000,
          limit: 2,
          maxAttempts: 2
        })
        const settlements = items.map(({ id, token }, j) => ({
          id,
          outcome: outcomes[(i + j) % outcomes.length]!,
          token
        }))
        if (i % 5 !== 0) yield* store.settle("q", settlements)
        if (i % 13 === 0) yield* store.requeue("q", i % 2 === 0 ? "dead" : [`a${i}`, `b${i - 7}`])
        if (i % 17 === 0) yield* store.remove("q", [`a${i}`, `c${i - 1}`])
        if (i % 97 === 0) yield* store.cleanup({ completed: -1, dead: -1 })
        const counts: Record<State, number> = {
          completed: 0,
          dead: 0,
          delayed: 0,
          running: 0,
          waiting: 0
        }
        const waiting: Array<number> = []
        for (const { dueAt, state } of store.all("q")) {
          counts[state]++
          if (state === "waiting") waiting.push(dueAt)
        }
        const values = vi.spyOn(Map.prototype, "values")
        const before = Date.now()
        const { oldestWaiting, paused, ...found } = yield* store.stats("q")
        const after = Date.now()
        expect(values).not.toHaveBeenCalled()
        values.mockRestore()
        expect([found, paused]).toEqual([counts, false])
        const oldest = Math.min(...waiting)
        expect(oldestWaiting).toBeGreaterThanOrEqual(Math.max(0, before - oldest))
        expect(oldestWaiting).toBeLessThanOrEqual(Math.max(0, after - oldest))
      }
    })
  ))
