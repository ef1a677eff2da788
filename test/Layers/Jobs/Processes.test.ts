import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { start } from "../../Server/process.ts"
import { open } from "../Database/backends.ts"
import { proxyTo } from "../Database/proxy.ts"
import * as server from "./server.ts"

const program = "test/Layers/Jobs/ticker.ts"

/** Seconds of the drill. The whole one has 120. */
const seconds = Number(process.env["TEST_TICKS"] ?? 24)

interface Row {
  readonly attempt: number
  readonly due_at: string
  readonly owner: string
  readonly started_at: string
  readonly status: string
}

if (server.unavailable !== undefined)
  console.warn(`Skipped: the drill of jobs: ${server.unavailable}`)

describe("a job each second in three processes", () => {
  it.skipIf(server.unavailable !== undefined)(
    "runs each due time once through kill -9, SIGTERM, SIGSTOP, an outage and a crash of the database",
    () =>
      Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const { restart, url } = yield* server.make
            yield* Effect.scoped(
              Effect.flatMap(
                open(url),
                (sql) => sql`create table ticks (owner integer, at timestamptz)`
              )
            )
            const proxy = yield* proxyTo(url)
            const env = { DATABASE_URL: proxy.url, DB_MAX_CONNECTIONS: "4", FLANGE_ENV: "test" }
            const one = () => Effect.promise(() => start(program, env))
            const pause = Effect.sleep((seconds / 12) * 1000)
            const [killed, ended, stopped] = yield* Effect.all([one(), one(), one()], {
              concurrency: 3
            })
            const all = [killed, ended, stopped]
            yield* Effect.addFinalizer(() =>
              Effect.sync(() => all.forEach(({ child }) => child.kill("SIGKILL")))
            )
            yield* pause
            killed.child.kill("SIGKILL")
            yield* pause
            all.push(yield* one())
            yield* pause
            stopped.child.kill("SIGSTOP")
            yield* pause
            yield* pause
            stopped.child.kill("SIGCONT")
            yield* pause
            ended.child.kill("SIGTERM")
            const before = Date.now()
            expect(yield* Effect.promise(() => ended.exit)).toBe(0)
            const exit = Date.now() - before
            all.push(yield* one())
            yield* pause
            yield* proxy.down
            yield* pause
            yield* proxy.up
            const back = Date.now()
            yield* pause
            yield* pause
            const crash = Date.now()
            yield* restart
            const restarted = Date.now()
            yield* pause
            yield* pause
            for (const { child } of all) child.kill("SIGTERM")
            yield* Effect.promise(() => Promise.all(all.map((each) => each.exit)))

            const sql = yield* open(url)
            const runs = yield* sql<Row>`select * from flange_job_runs order by due_at`
            const dues = runs.map(({ due_at }) => Number(due_at) / 1000)
            const ticks = yield* sql`select owner from ticks`
            const gaps = runs
              .slice(1)
              .map((run, index) => Number(run.started_at) - Number(runs[index]!.started_at))
            const firstAfter = (time: number) =>
              Number(runs.find(({ started_at }) => Number(started_at) > time)?.started_at) - time
            console.log(
              JSON.stringify({
                exitAfterSigtermMs: exit,
                longestGapMs: Math.max(...gaps),
                processes: new Set(runs.map(({ owner }) => owner)).size,
                restartOfPostgresMs: restarted - crash,
                resumedAfterOutageMs: firstAfter(back),
                resumedAfterRestartMs: firstAfter(restarted),
                retaken: runs.filter(({ attempt }) => attempt > 1).length,
                runs: runs.length,
                ticks: ticks.length
              })
            )
            expect(dues).toEqual(dues.map((_, index) => dues[0]! + index))
            expect(runs.filter(({ status }) => status !== "succeeded")).toEqual([])
            expect(ticks.length).toBe(runs.length)
            expect(runs.length).toBeGreaterThanOrEqual(seconds - 4)
          })
        )
      ),
    seconds * 1000 + 120_000
  )
})
