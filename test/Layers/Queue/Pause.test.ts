import * as Effect from "effect/Effect"
import { expect, it } from "vitest"
import * as SqlStore from "../../../src/Layers/Queue/SqlStore.ts"
import { start } from "../../Server/process.ts"
import { onEach, open, postgres } from "../Database/backends.ts"
import { until } from "../Idempotency/conformance.ts"
import { offer } from "./conformance.ts"

onEach([postgres], "a worker process that is stopped for longer than its lease", () => {
  /** Makes a database with one item whose handler waits for ever. */
  const prepared = Effect.gen(function* () {
    const url = yield* postgres.fresh
    const sql = yield* open(url)
    const store = SqlStore.make(sql)
    yield* store.createTables
    yield* store.offer("jobs", [
      offer("a", { element: JSON.stringify({ payload: "wait", version: 1 }) })
    ])
    const spawn = Effect.acquireRelease(
      Effect.promise(() =>
        start("test/Layers/Queue/deaf.ts", { DATABASE_URL: url, FLANGE_ENV: "test" })
      ),
      ({ child, exit }) =>
        Effect.promise(async () => {
          child.kill("SIGKILL")
          await exit
        })
    )
    /** Returns how long the lease of the item lasts, in milliseconds. */
    const left = Effect.map(
      sql<{ readonly left: number }>`
        select (wake_at - extract(epoch from clock_timestamp()) * 1000)::int as left from flange_queue_items`,
      ([row]) => row!.left
    )
    return { left, spawn, sql, store }
  })

  const lines = (text: string, word: string) =>
    text.split("\n").filter((line) => line.startsWith(word))

  it(
    "is told that another worker has its item, and settles nothing",
    () =>
      Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const { spawn, sql, store } = yield* prepared
            const paused = yield* spawn
            yield* until(Effect.sync(() => paused.output().includes("begin a 1")))
            paused.child.kill("SIGSTOP")
            const other = yield* spawn
            yield* until(Effect.sync(() => other.output().includes("begin a 2")))
            const token = yield* sql`select token from flange_queue_items`
            paused.child.kill("SIGCONT")
            yield* until(Effect.sync(() => paused.output().includes("interrupted a 1")))
            yield* until(Effect.sync(() => paused.output().includes("has lost 1 claims")))
            expect(yield* sql`select token from flange_queue_items`).toEqual(token)
            expect(yield* store.get("jobs", "a")).toMatchObject({ attempts: 2, state: "running" })
            expect(other.output()).not.toContain("interrupted")
          })
        )
      ),
    60_000
  )

  it(
    "keeps its item if nobody else has claimed it, and never runs it twice at once",
    () =>
      Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const { left, spawn } = yield* prepared
            const { child, output } = yield* spawn
            yield* until(Effect.sync(() => output().includes("begin a 1")))
            child.kill("SIGSTOP")
            yield* until(Effect.map(left, (millis) => millis < -500))
            child.kill("SIGCONT")
            yield* until(Effect.map(left, (millis) => millis > 0))
            // It polls some times more.
            yield* Effect.sleep(200)
            expect(lines(output(), "begin").length - lines(output(), "interrupted").length).toBe(1)
          })
        )
      ),
    60_000
  )
})
