import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { expect, it, vi } from "vitest"
import { MemoryStore } from "../../../src/Layers/Queue/MemoryStore.ts"
import type { Outcome, State } from "../../../src/Layers/Queue/QueueStore.ts"
import { offer } from "./conformance.ts"

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
          endsLeases: true,
          lease: i % 11 === 0 ? 0 : 1000,
          limit: 2,
          maxAttempts: 2,
          token: String(i)
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
        const { oldestWaiting, paused, ...found } = yield* store.stats("q")
        expect(values).not.toHaveBeenCalled()
        values.mockRestore()
        expect([found, paused]).toEqual([counts, false])
        const now = yield* Clock.currentTimeMillis
        expect(oldestWaiting).toBe(Math.max(0, now - Math.min(...waiting)))
        yield* TestClock.adjust(1)
      }
    }).pipe(Effect.provide(TestClock.layer()))
  ))

for (const step of [-3_600_000, 3_600_000]) {
  it(`a step of the clock by ${step} ms ends no lease and no delay`, () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const store = new MemoryStore()
        const claim = Effect.map(
          store.claim("q", {
            endsLeases: true,
            lease: 60_000,
            limit: 10,
            maxAttempts: 5,
            token: "a"
          }),
          ({ items, next }) => ({ ids: items.map(({ id }) => id), next })
        )
        yield* store.offer("q", [offer("running")])
        expect((yield* claim).ids).toEqual(["running"])
        yield* store.offer("q", [offer("delayed", { delay: 1_800_000 })])
        const { now } = Date
        const clock = vi.spyOn(Date, "now").mockImplementation(() => now() + step)
        const after = yield* Effect.ensuring(
          claim,
          Effect.sync(() => clock.mockRestore())
        )
        expect(after.ids).toEqual([])
        expect(after.next).toBeLessThanOrEqual(60_000)
      })
    ))
}
