import * as Effect from "effect/Effect"
import { expect, it } from "vitest"
import * as SqlStore from "../../../src/Layers/Queue/SqlStore.ts"
import { type Running, start } from "../../Server/process.ts"
import { onEach, open, postgres } from "../Database/backends.ts"
import { offer } from "./conformance.ts"

/** TEST_QUEUE_ITEMS=10000 is the whole drill. */
const count = Number(process.env["TEST_QUEUE_ITEMS"] ?? 1000)

const program = "test/Layers/Queue/drill.ts"

const sleep = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

onEach([postgres], "worker processes", () => {
  /** Makes a database with items that take so many milliseconds. */
  const prepared = (items: number, millis: (i: number) => number) =>
    Effect.gen(function* () {
      const url = yield* postgres.fresh
      const sql = yield* open(url)
      yield* sql`create table runs (id text not null, worker text not null, ended boolean not null)`
      const store = SqlStore.make(sql)
      yield* store.createTables
      const offers = Array.from({ length: items }, (_, i) =>
        offer(`i${i}`, { element: JSON.stringify({ payload: { millis: millis(i) }, version: 1 }) })
      )
      for (let i = 0; i < items; i += 1000) yield* store.offer("drill", offers.slice(i, i + 1000))
      return { sql, store, url }
    })

  it(`all of ${count} items are handled while workers are killed at random, twice only if they ran at a kill`, async () => {
    await Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const { sql, store, url } = yield* prepared(count, (i) => i % 20)
          // The workers begin together, so that items are left for the kills.
          yield* store.pause("drill")
          let workers = 0
          const spawn = () =>
            start(program, {
              DATABASE_URL: url,
              FLANGE_ENV: "test",
              WORKER: `w${workers++}`
            })
          const living: Array<Running> = yield* Effect.promise(() =>
            Promise.all([spawn(), spawn(), spawn()])
          )
          yield* store.resume("drill")
          let kills = 0
          for (;;) {
            const { completed, dead, waiting } = yield* store.stats("drill")
            expect(dead).toBe(0)
            if (completed === count && kills > 0) break
            if (kills === 0 || (waiting > 0 && kills < 6)) {
              const at = Math.floor(Math.random() * living.length)
              const victim = living[at]!
              victim.child.kill("SIGKILL")
              yield* Effect.promise(() => victim.exit)
              kills++
              living[at] = yield* Effect.promise(spawn)
            }
            yield* Effect.promise(() => sleep(50 + Math.random() * 100))
          }
          for (const { child, exit } of living) {
            child.kill("SIGTERM")
            expect(yield* Effect.promise(() => exit)).toBe(0)
          }
          const runs = yield* sql<{ readonly ended: boolean; readonly id: string }>`
            select id, ended from runs`
          const ended = new Map<string, number>()
          for (const { ended: isEnded, id } of runs) {
            if (isEnded) ended.set(id, (ended.get(id) ?? 0) + 1)
          }
          expect(ended.size).toBe(count)
          // A killed worker handled at most ten at a time. Those that had ended were not settled yet.
          const doubles = [...ended.values()].filter((times) => times > 1).length
          const repeated = runs.length - count
          expect(repeated).toBeLessThanOrEqual(kills * 10)
          console.log(
            `${count} items, ${kills} kills: ${repeated} ran again, ${doubles} of them had ended before`
          )
        })
      )
    )
  }, 600_000)

  it("SIGTERM requeues the items of handlers that outlast the drain at once", async () => {
    await Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const { sql, store, url } = yield* prepared(30, () => 3_600_000)
          const worker = yield* Effect.promise(() =>
            start(program, { DATABASE_URL: url, FLANGE_ENV: "test", LEASE: "1 hour", WORKER: "w" })
          )
          const running = Effect.map(sql`select id from runs`, ({ length }) => length)
          while ((yield* running) < 10) yield* Effect.promise(() => sleep(20))
          const begin = performance.now()
          worker.child.kill("SIGTERM")
          while ((yield* store.stats("drill")).waiting < 30) {
            yield* Effect.promise(() => sleep(10))
          }
          console.log(
            `30 items were requeued ${Math.round(performance.now() - begin)} ms after SIGTERM, with a drain of 500 ms`
          )
          expect(yield* Effect.promise(() => worker.exit)).toBe(0)
          const attempts = yield* sql`select distinct attempts from flange_queue_items`
          expect(attempts).toEqual([{ attempts: 0 }])
        })
      )
    )
  }, 120_000)
})
