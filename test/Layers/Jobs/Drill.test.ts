// What happens to a run in progress, with real processes.
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { expect, it } from "vitest"
import { start } from "../../Server/process.ts"
import { onEach, open, postgres } from "../Database/backends.ts"

interface Work {
  readonly began: Date
  readonly ended: Date | null
  readonly id: number
  readonly owner: number
}

interface Row {
  readonly attempt: number
  readonly due_at: string
  readonly id: string
  readonly lease_until: string
  readonly status: string
}

const run = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) =>
  Effect.runPromise(Effect.scoped(effect))

onEach([postgres], "a run in progress", (backend) => {
  const drill = Effect.gen(function* () {
    const url = yield* backend.fresh
    const sql = yield* open(url)
    yield* sql`create table works (id serial primary key, owner integer, overlap text, began timestamptz, ended timestamptz)`
    const env = { DATABASE_URL: url, DB_MAX_CONNECTIONS: "4", FLANGE_ENV: "test" }
    const one = (more: Readonly<Record<string, string>>) =>
      Effect.acquireRelease(
        Effect.promise(() => start("test/Layers/Jobs/slow.ts", { ...env, ...more })),
        ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
      )
    const works = sql<Work>`select * from works order by id`
    const runs = sql<Row>`select * from flange_job_runs order by due_at`
    /** Waits until a query has a row that fits. */
    const until = <A>(
      rows: Effect.Effect<ReadonlyArray<A>, unknown>,
      fits: (row: A) => boolean
    ): Effect.Effect<A, unknown> =>
      Effect.flatMap(rows, (all) => {
        const found = all.find(fits)
        return found === undefined
          ? Effect.andThen(Effect.sleep(20), until(rows, fits))
          : Effect.succeed(found)
      })
    return { one, runs, sql, until, works }
  })

  it(
    "at kill -9 and at SIGTERM runs again elsewhere as the same run, and no other run twice",
    () =>
      run(
        Effect.gen(function* () {
          const { one, runs, until, works } = yield* drill
          const times: Record<string, number> = {}
          const retaken: Array<string> = []
          for (const signal of ["SIGKILL", "SIGTERM"] as const) {
            const leaving = yield* one({ SLOW: "600000" })
            const first = yield* until(works, ({ owner }) => owner === leaving.child.pid)
            const { id } = yield* until(runs, ({ status }) => status === "running")
            const next = yield* one({ SLOW: "10" })
            const at = Date.now()
            leaving.child.kill(signal)
            const again = yield* until(works, (each) => each.owner === next.child.pid)
            times[signal] = Date.now() - at
            const ended = yield* until(
              runs,
              (each) => each.id === id && each.status === "succeeded"
            )
            retaken.push(id)
            expect(ended.attempt).toBe(2)
            expect(again.id).toBeGreaterThan(first.id)
            if (signal === "SIGTERM") expect(yield* Effect.promise(() => leaving.exit)).toBe(0)
            // Later due times run once.
            yield* until(works, ({ id, owner }) => owner === next.child.pid && id > again.id + 1)
            next.child.kill("SIGTERM")
            yield* Effect.promise(() => next.exit)
          }
          const ended = (yield* runs).filter(({ status }) => status === "succeeded")
          expect(ended.filter(({ attempt }) => attempt > 1).map(({ id }) => id)).toEqual(retaken)
          // Each run has one row of work, and the retaken ones have two.
          expect((yield* works).length).toBe(ended.length + retaken.length)
          console.log(
            JSON.stringify({
              handOverAfterSigtermMs: times["SIGTERM"],
              takeOverAfterKillMs: times["SIGKILL"]
            })
          )
        })
      ),
    120_000
  )

  it(
    "is skipped over, waited for or cancelled by the due times of another process",
    () =>
      run(
        Effect.gen(function* () {
          const { one, runs, sql, until, works } = yield* drill
          const statuses = Effect.map(runs, (all) => all.map(({ status }) => status))
          for (const overlap of ["skip", "queue", "cancel"] as const) {
            yield* sql`delete from works`
            yield* Effect.ignore(sql`delete from flange_job_runs`)
            const slow = yield* one({ OVERLAP: overlap, SLOW: "1500" })
            yield* until(works, ({ owner }) => owner === slow.child.pid)
            const other = yield* one({ OVERLAP: overlap, SLOW: "1500" })
            while ((yield* statuses).length < 4) yield* Effect.sleep(50)
            for (const { child } of [slow, other]) child.kill("SIGTERM")
            yield* Effect.promise(() => Promise.all([slow.exit, other.exit]))
            const found = yield* statuses
            const done = (yield* works).filter(({ ended }) => ended !== null)
            if (overlap === "skip") expect(found).toContain("skipped")
            if (overlap === "cancel") expect(found).toContain("cancelled")
            if (overlap === "queue") {
              expect(found.every((each) => each === "succeeded" || each === "released")).toBe(true)
            }
            if (overlap !== "cancel") {
              const all = yield* works
              all.slice(1).forEach(({ began }, index) => {
                const before = all[index]!.ended
                if (before !== null)
                  expect(began.getTime()).toBeGreaterThanOrEqual(before.getTime())
              })
              expect(done.length).toBeGreaterThan(0)
            }
          }
        })
      ),
    120_000
  )

  it(
    "goes on with processes whose clocks are a day ahead and a day behind",
    () =>
      run(
        Effect.gen(function* () {
          const { one, runs, sql, until, works } = yield* drill
          const day = 86_400_000
          const ahead = yield* one({ CLOCK_AHEAD: String(day) })
          const behind = yield* one({ CLOCK_AHEAD: String(-day) })
          yield* until(
            works,
            ({ owner }) => owner === ahead.child.pid || owner === behind.child.pid
          )
          const right = yield* one({})
          ahead.child.kill("SIGKILL")
          behind.child.kill("SIGKILL")
          yield* until(works, ({ owner }) => owner === right.child.pid)
          const late = yield* sql`select id from flange_job_runs
          where due_at > extract(epoch from clock_timestamp()) * 1000 + 1000`
          expect(late).toEqual([])
          const dues = (yield* runs).map(({ due_at }) => Number(due_at))
          expect(new Set(dues).size).toBe(dues.length)
          expect(ahead.output()).toContain("ahead of that of the database")
          expect(behind.output()).toContain("behind that of the database")
        })
      ),
    120_000
  )

  it(
    "of one app is none of another app with the same job name in the same database",
    () =>
      run(
        Effect.gen(function* () {
          const { one, sql, until } = yield* drill
          yield* one({ APP: "first", SLOW: "600000" })
          yield* one({ APP: "second" })
          const rows = sql<{ app: string; status: string }>`select app, status from flange_job_runs`
          yield* until(
            Effect.orElseSucceed(rows, () => []),
            ({ app }) => app === "first"
          )
          yield* until(rows, ({ app, status }) => app === "second" && status === "succeeded")
          expect(
            (yield* rows).filter(({ app, status }) => app === "second" && status === "skipped")
          ).toEqual([])
        })
      ),
    120_000
  )
})
