import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { expect, it } from "vitest"
import type { RunStore, Wanted } from "../../../src/Layers/Jobs/RunStore.ts"
import * as SqlStore from "../../../src/Layers/Jobs/SqlStore.ts"
import { onEach, open, pglite, postgres } from "../Database/backends.ts"

const keep = { age: 1e12, count: 3 }

const run = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) =>
  Effect.runPromise(Effect.scoped(effect))

const wanted = (dueAt: number, more: Partial<Wanted> = {}): Wanted => ({
  dueAt,
  id: randomUUID(),
  isEarlyAllowed: true,
  job: "job",
  now: dueAt,
  overlap: "skip",
  trigger: "schedule",
  ...more
})

onEach([pglite, postgres], "the store of runs", (backend) => {
  const stores = Effect.gen(function* () {
    const sql = yield* open(yield* backend.fresh)
    yield* SqlStore.createTable(sql)
    const one = (app = "shop") => SqlStore.make(sql, app, randomUUID(), keep)
    return { first: one(), other: one("other"), second: one(), sql }
  })

  const finished = (store: RunStore, dueAt: number) =>
    Effect.gen(function* () {
      const run = wanted(dueAt)
      yield* store.claim(run)
      yield* store.end(run.id, { error: undefined, now: dueAt, status: "succeeded" })
    })

  it("lets one of many processes claim a due time, and another app has its own", () =>
    run(
      Effect.gen(function* () {
        const { first, other, second } = yield* stores
        const claims = yield* Effect.all(
          Array.from({ length: 10 }, (_, index) =>
            (index % 2 === 0 ? first : second).claim(wanted(1000))
          ),
          { concurrency: "unbounded" }
        )
        expect(claims.filter((claim) => claim === "claimed")).toHaveLength(1)
        expect(yield* other.claim(wanted(1000))).toBe("claimed")
      })
    ))

  it("refuses a due time before the newest one, even after its row was pruned", () =>
    run(
      Effect.gen(function* () {
        const { first, second } = yield* stores
        for (let due = 1000; due <= 8000; due += 1000) yield* finished(first, due)
        yield* first.prune("job", 8000)
        expect((yield* first.history("job", 100)).map(({ dueAt }) => dueAt)).toEqual([
          8000, 7000, 6000
        ])
        for (const due of [1000, 7000, 8000]) expect(yield* second.claim(wanted(due))).toBe("taken")
        expect(yield* second.claim(wanted(9000))).toBe("claimed")
      })
    ))

  it("skips, holds back and cancels runs of another process", () =>
    run(
      Effect.gen(function* () {
        const { first, second } = yield* stores
        const running = wanted(1000)
        yield* first.claim(running)
        expect(yield* second.claim(wanted(2000, { overlap: "skip" }))).toBe("busy")
        expect(yield* second.claim(wanted(3000, { overlap: "queue" }))).toBe("busy")
        expect(yield* first.renew([running.id])).toEqual([running.id])
        expect(yield* second.claim(wanted(3000, { overlap: "cancel" }))).toBe("claimed")
        expect(yield* first.renew([running.id])).toEqual([])
        expect(
          yield* first.end(running.id, { error: undefined, now: 1, status: "succeeded" })
        ).toBe(false)
        expect((yield* first.history("job", 9)).map(({ status }) => status)).toEqual([
          "running",
          "skipped",
          "cancelled"
        ])
      })
    ))

  it("hands over released runs at once and those of a dead process after their lease", () =>
    run(
      Effect.gen(function* () {
        const { first, second, sql } = yield* stores
        const released = wanted(1000)
        yield* first.claim(released)
        yield* first.end(released.id, { error: undefined, now: 1, status: "released" })
        const [taken] = yield* second.takeOver(["job"], false, [])
        expect(taken).toMatchObject({ attempt: 2, id: released.id, status: "running" })
        expect(yield* first.takeOver(["job"], true, [])).toEqual([])
        yield* sql`update flange_job_runs set lease_until = 0`
        expect(yield* first.takeOver(["job"], false, [])).toEqual([])
        expect(yield* first.takeOver(["job"], true, [])).toMatchObject([
          { attempt: 3, id: released.id }
        ])
        expect(yield* second.renew([released.id])).toEqual([])
      })
    ))

  it("gives a process its own run back whose claim got no answer, and none that it runs", () =>
    run(
      Effect.gen(function* () {
        const { first, sql } = yield* stores
        const [lost, running] = [wanted(1000), wanted(1000, { job: "other" })]
        for (const each of [lost, running]) yield* first.claim(each)
        yield* sql`update flange_job_runs set lease_until = 0`
        const jobs = ["job", "other"]
        expect(yield* first.takeOver(jobs, false, [running.id])).toEqual([])
        expect(yield* first.takeOver(jobs, true, [running.id])).toMatchObject([
          { attempt: 2, id: lost.id }
        ])
      })
    ))

  it("refuses a due time that is later than the clock of the database", () =>
    run(
      Effect.gen(function* () {
        const { first } = yield* stores
        const now = yield* first.time!
        const soon = { isEarlyAllowed: false, now }
        expect(yield* first.claim(wanted(now + 86_400_000, soon))).toBe("early")
        expect(yield* first.claim(wanted(now, soon))).toBe("claimed")
        expect(yield* first.claim(wanted(now, soon))).toBe("taken")
      })
    ))

  it("ends a run once, however often it is asked, and returns the newest runs of each job", () =>
    run(
      Effect.gen(function* () {
        const { first } = yield* stores
        const ended = wanted(3000)
        for (const due of [1000, 2000]) yield* finished(first, due)
        yield* first.claim(ended)
        const end = first.end(ended.id, { error: undefined, now: 1, status: "succeeded" })
        expect([yield* end, yield* end]).toEqual([true, true])
        yield* first.claim(wanted(500, { job: "b" }))
        const runs = yield* first.recent(["b", "job", "none"], 2)
        expect(runs.map(({ dueAt, job }) => [job, dueAt]).toSorted()).toEqual([
          ["b", 500],
          ["job", 2000],
          ["job", 3000]
        ])
        expect(yield* first.recent([], 2)).toEqual([])
      })
    ))
})
