/** The battery as plugins, one for each runner. */
import { randomUUID } from "node:crypto"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SqlClient } from "effect/sql/SqlClient"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import * as Cli from "../../Plugin/Cli.ts"
import * as HealthCheck from "../../Plugin/HealthCheck.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as PluginCheck from "../../Plugin/PluginCheck.ts"
import * as Role from "../../Plugin/Role.ts"
import * as Worker from "../../Plugin/Worker.ts"
import * as Job from "./Job.ts"
import * as JobCheck from "./JobCheck.ts"
import { Jobs, type JobsShape } from "./Jobs.ts"
import * as JobsAdmin from "./JobsAdmin.ts"
import { JobsConfig } from "./JobsConfig.ts"
import { JobsRunnerError } from "./JobsErrors.ts"
import * as JobsService from "./JobsService.ts"
import * as MemoryStore from "./MemoryStore.ts"
import type { Keep, RunStore } from "./RunStore.ts"
import * as Scheduler from "./Scheduler.ts"
import * as SqlStore from "./SqlStore.ts"

/** What the phases of the plugin need, which users of the service do not. */
interface Runner {
  readonly health: Effect.Effect<HealthCheck.Degraded | undefined, unknown>
  readonly scheduler: Scheduler.Scheduler
}

/** The runner of each service. A double of a test has none. */
const runners = new WeakMap<JobsShape, Runner>()

const withRunner = <A, E, R>(
  use: (runner: Runner) => Effect.Effect<A, E, R>
): Effect.Effect<A | undefined, E, Jobs | R> =>
  Effect.flatMap(Jobs, (jobs): Effect.Effect<A | undefined, E, R> => {
    const runner = runners.get(jobs)
    return runner === undefined ? Effect.undefined : use(runner)
  })

const services = <E, R>(
  own: "cluster" | "local",
  open: (owner: string, keep: Keep, app: string) => Effect.Effect<RunStore, E, R>
) =>
  Layer.effect(
    Jobs,
    Effect.gen(function* () {
      const { keep, keepFor, runner = own } = yield* JobsConfig
      const runtime = yield* AppRuntime
      if (runner === "cluster" && own === "local") {
        return yield* new JobsRunnerError({
          reason:
            'jobs.runner is "cluster", and Jobs.plugin does not have it. List Database.plugin and Jobs.withCluster in its place, or choose "local".'
        })
      }
      const isShared = runner === "cluster"
      const owner = randomUUID()
      const kept = { age: Duration.toMillis(keepFor), count: keep }
      if (!isShared) {
        yield* Worker.warnIfSeveral(
          (count) =>
            `Each of the ${count} processes of app.replicas and server.workers runs each job. List Jobs.withCluster in the place of Jobs.plugin, so that one of them does.`
        )
      }
      const store = isShared ? yield* open(owner, kept, runtime.id) : MemoryStore.make(owner, kept)
      const scheduler = yield* Scheduler.make(store, isShared)
      const jobs = JobsService.make(runtime, store, scheduler)
      const isScheduled = isShared || (yield* Role.has("scheduler"))
      runners.set(jobs, {
        health: JobsService.health(runtime, store, scheduler, isScheduled),
        scheduler
      })
      return jobs
    })
  )

const ready = () =>
  withRunner(({ scheduler }) =>
    Effect.gen(function* () {
      const { contributions } = yield* AppRuntime
      if (yield* Role.has("scheduler")) yield* scheduler.startLoops(contributions(Job.kind))
    })
  )

const shared = {
  config: [JobsConfig],
  drain: withRunner(({ scheduler }) => scheduler.drain),
  health: {
    jobs: HealthCheck.make(
      withRunner(({ health }) => health),
      { class: "informational" }
    )
  },
  provides: [Jobs],
  ready
} as const

const contributes = [
  Cli.make("jobs", { load: () => import("./JobsCommand.ts") }),
  PluginCheck.kind.make(
    "jobs of other roles",
    PluginCheck.carriedOutBy(Job.kind.name, "scheduler")
  ),
  ...JobsAdmin.routes
] as const

/**
 * Runs the jobs of all plugins in this process: runner `local`. The history is in memory, so that a restart
 * forgets it. With several processes each runs each job, and the start logs a warning: list
 * `Jobs.withCluster` for those. Jobs run in processes with the role `scheduler`.
 *
 * - config: section `jobs`
 * - drain: starts no more runs, waits for those that run, and interrupts them after `app.drainTimeout`
 * - health: `jobs`, informational: degraded if a job failed three times in a row, or did not start within a
 *   minute of its due time
 * - metrics: `flange.jobs.runs` by job and outcome, `flange.jobs.duration` and `flange.jobs.lateness`
 * - admin port: `GET /jobs`, `GET /jobs/:name/runs`, `POST /jobs/:name/run`
 * - commands: `flange jobs list`, `flange jobs history <job>`, `flange jobs run <job>`
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as TestClock from "effect/testing/TestClock"
 * import { App, Plugin } from "flange"
 * import * as Jobs from "flange/Jobs"
 * import { TestApp } from "flange/Testing"
 *
 * let runs = 0
 * const Orders = Plugin.make("app:orders", {
 *   contributes: [Jobs.Job.every("orders:expire", "60 seconds", Effect.sync(() => runs++))]
 * })
 * const test = Effect.gen(function* () {
 *   yield* TestApp.make(App.make("shop", [Jobs.plugin, Orders]))
 *   yield* TestClock.adjust("3 minutes")
 *   return runs
 * })
 * await Effect.runPromise(Effect.scoped(Effect.provide(test, TestClock.layer()))) // => 3
 * ```
 */
export const plugin = Plugin.make("flange:jobs", {
  ...shared,
  contributes: [...contributes, PluginCheck.kind.make("jobs", JobCheck.make(false))],
  layer: services("local", (owner, keep) => Effect.sync(() => MemoryStore.make(owner, keep)))
})

/**
 * Runs each due time of a job once among all processes that share the PostgreSQL database of the app:
 * runner `cluster`. PGlite works with one process. The history is in the table `flange_job_runs`, which the
 * plugin creates if it is not there.
 *
 * A run of a process that was killed is run again by another one within ten seconds, so that the effect runs
 * at least once. The option `transaction` of a job makes its SQL work happen once. Jobs are due by the clock of
 * the database, so a process with a wrong clock does no harm.
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Database from "flange/Database"
 * import * as Jobs from "flange/Jobs"
 *
 * const app = App.make("shop", [Database.plugin, Jobs.withCluster])
 * App.describe(app).plugins.map(({ id }) => id) // => ["flange:database", "flange:jobs"]
 * ```
 */
export const withCluster = Plugin.make("flange:jobs", {
  ...shared,
  contributes: [...contributes, PluginCheck.kind.make("jobs", JobCheck.make(true))],
  layer: services("cluster", (owner, keep, app) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const isPostgres = sql.onDialectOrElse({ orElse: () => false, pg: () => true })
      if (!isPostgres) {
        return yield* new JobsRunnerError({
          reason:
            'jobs.runner is "cluster", which works on PostgreSQL and PGlite. Set database.url to postgres://..., or choose "local".'
        })
      }
      yield* SqlStore.createTable(sql)
      return SqlStore.make(sql, app, owner, keep)
    })
  ),
  requires: [SqlClient]
})
