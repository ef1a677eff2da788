// What every backend of the log of events must do.
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { advance } from "../../../src/Layers/Realtime/EventLogAdvance.ts"
import type { Backend } from "../../../src/Layers/Realtime/EventLogBackend.ts"
import type { Position } from "../../../src/Layers/Realtime/EventLogPosition.ts"
import * as EventLogTails from "../../../src/Layers/Realtime/EventLogTails.ts"

/** Keeps ten events of a topic for an hour, and eleven in a database. */
export const bounds = { maxAge: 3_600_000, maxEvents: 10 }

export interface Suite {
  /** Two logs of one place, as two processes have them. */
  readonly open: Effect.Effect<readonly [Backend, Backend], unknown, Scope.Scope>
}

const count = 60

/** Reads all events behind a position. */
const drained = (log: Backend, topic: string, from: Position) =>
  Effect.gen(function* () {
    const found: Array<string> = []
    let position = from
    for (;;) {
      const next = advance(position, yield* log.page(topic, position.sequence, 3))
      expect(next.lost).toBeUndefined()
      found.push(...next.entries.map(({ data }) => data))
      position = next.position
      if (!next.isBehind) return { found, position }
    }
  })

const start: Position = { generation: 0, sequence: 0 }

export const logConformance = ({ open }: Suite): void => {
  const test = (
    name: string,
    body: (one: Backend, two: Backend) => Effect.Effect<void, unknown, Scope.Scope>
  ) =>
    it.live(name, () => Effect.flatMap(open, ([one, two]) => body(one, two)), { timeout: 120_000 })

  describe("append and page", () => {
    test("a topic without events has a page without a generation", (log) =>
      Effect.gen(function* () {
        yield* log.ping
        expect(yield* log.page("none", 0, 10)).toEqual({
          entries: [],
          first: 1,
          generation: 0,
          last: 0
        })
      }))

    test("events have the sequences from 1 on, and are read in pages by another process", (one, two) =>
      Effect.gen(function* () {
        const data = ['{"a":"ä\\n€"}', "2", '"\\u0000 ✓"', "4", "5"]
        const positions = yield* Effect.forEach(data, (text) => one.append("t:1", "made", text))
        expect(positions.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5])
        expect(new Set(positions.map(({ generation }) => generation)).size).toBe(1)
        const page = yield* two.page("t:1", 1, 2)
        expect(page.entries).toEqual([
          { data: "2", event: "made", sequence: 2 },
          { data: '"\\u0000 ✓"', event: "made", sequence: 3 }
        ])
        expect(page).toMatchObject({ first: 1, generation: positions[0]!.generation, last: 5 })
        const all = yield* drained(two, "t:1", start)
        expect(all).toEqual({ found: data, position: positions[4] })
        // Another topic has its own sequence.
        expect((yield* two.append("T:1", "made", "1")).sequence).toBe(1)
      }))

    test("old events are dropped above the bound, and a reader behind them knows it", (log) =>
      Effect.gen(function* () {
        const first = yield* log.append("t", "made", "1")
        for (let i = 2; i <= 25; i++) yield* log.append("t", "made", String(i))
        const page = yield* log.page("t", first.sequence, 100)
        expect(page.last - page.first + 1).toBeGreaterThanOrEqual(bounds.maxEvents)
        expect(page.last - page.first + 1).toBeLessThanOrEqual(bounds.maxEvents + 1)
        expect(advance(first, page).lost).toBe("expired")
        const kept = { ...first, sequence: page.first - 1 }
        expect(advance(kept, page)).toMatchObject({ lost: undefined, position: { sequence: 25 } })
      }))

    test("ids of another generation, and of the future, are unknown", (log) =>
      Effect.gen(function* () {
        const at = yield* log.append("t", "made", "1")
        const page = yield* log.page("t", 0, 10)
        expect(advance({ ...at, generation: at.generation - 1 }, page).lost).toBe("unknown")
        expect(advance({ ...at, sequence: 2 }, page).lost).toBe("unknown")
        expect(advance(at, yield* log.page("other", 1, 10)).lost).toBe("unknown")
      }))
  })

  test("concurrent appends of two processes have all sequences once, and a reader misses none", (one, two) =>
    Effect.gen(function* () {
      const log = [one, two]
      const half = bounds.maxEvents / 2
      const found: Array<string> = []
      let position = start
      const appended: Array<number> = []
      for (let round = 0; round < 6; round++) {
        const isDone = Deferred.makeUnsafe<void>()
        const reader = yield* Effect.forkChild(
          Effect.gen(function* () {
            for (;;) {
              const over = Deferred.isDoneUnsafe(isDone)
              const next = advance(position, yield* two.page("t", position.sequence, 4))
              expect(next.lost).toBeUndefined()
              found.push(...next.entries.map(({ data }) => data))
              position = next.position
              if (over && !next.isBehind) return
            }
          })
        )
        const positions = yield* Effect.forEach(
          Array.from({ length: 2 * half }, (_, i) => i),
          (i) => log[i % 2]!.append("t", "made", String(round * 2 * half + i)),
          { concurrency: "unbounded" }
        )
        appended.push(...positions.map(({ sequence }) => sequence))
        Deferred.doneUnsafe(isDone, Effect.void)
        yield* Fiber.join(reader)
      }
      const byNumber = (a: number, b: number) => a - b
      const numbers = Array.from({ length: count }, (_, i) => i)
      expect(appended.sort(byNumber)).toEqual(numbers.map((i) => i + 1))
      expect(found.map(Number).sort(byNumber)).toEqual(numbers)
    }))

  test("a tail gets the events of another process", (one, two) =>
    Effect.gen(function* () {
      const tails = yield* EventLogTails.make(one)
      const tail = yield* tails.open("t")
      const before = tail.position
      expect(before).toEqual(start)
      const changed = yield* Effect.forkChild(tail.changed(before))
      yield* two.append("t", "made", "1")
      yield* Fiber.join(changed)
      expect(tail.position.sequence).toBe(1)
      const texts: Array<string> = []
      const got = Deferred.makeUnsafe<void>()
      const follower = {
        lost: () => {},
        position: start,
        receive: (bytes: Uint8Array) => {
          texts.push(Buffer.from(bytes).toString())
          if (texts.join("").includes("data: 3\n")) Deferred.doneUnsafe(got, Effect.void)
        }
      }
      tail.hold()
      expect(tail.join(follower)).toBe(true)
      yield* two.append("t", "made", "2")
      yield* one.append("t", "made", "3")
      yield* Deferred.await(got)
      const id = (sequence: number) => `id: ${tail.position.generation}-${sequence}`
      const event = (n: number) => `${id(n)}\nevent: made\ndata: ${n}\n\n`
      expect(texts.join("")).toBe(event(1) + event(2) + event(3))
      tail.leave(follower)
      expect(tail.isIdle).toBe(true)
    }))
}
