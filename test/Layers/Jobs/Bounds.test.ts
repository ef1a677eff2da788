// Jobs that are odd: runs that never end or ignore interruption, storms of run now, lost answers of a store.
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { SqlClient } from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import { App, AppRuntime, HealthCheck, Plugin } from "flange"
import * as Admin from "flange/Admin"
import * as Database from "flange/Database"
import * as Jobs from "flange/Jobs"
import * as Metrics from "flange/Metrics"
import { TestApp } from "flange/Testing"
import type { BoundJob } from "../../../src/Layers/Jobs/Execution.ts"
import * as MemoryStore from "../../../src/Layers/Jobs/MemoryStore.ts"
import type { RunStore } from "../../../src/Layers/Jobs/RunStore.ts"
import * as Scheduler from "../../../src/Layers/Jobs/Scheduler.ts"
import { kept } from "../../tracing.ts"
import { valueOf } from "../Metrics/samples.ts"

const { Job } = Jobs
const { Jobs: Service } = Jobs

const appOf = (...jobs: ReadonlyArray<Jobs.Job.Job<never>>) =>
  App.make("shop", [Jobs.plugin, Plugin.make("app:orders", { contributes: jobs })])

const atOnce = { app: { drainTimeout: "0 seconds" } }

const history = (name: string, limit = 1000) => Service.use((jobs) => jobs.history(name, limit))

const degraded = Effect.flatMap(AppRuntime, ({ contributions }) => {
  const check = contributions(HealthCheck.kind).find(({ name }) => name === "jobs")!
  return check.value as Effect.Effect<{ reason: string } | undefined>
})

/** Sets the clock forward without waking those that sleep, as a stopped process sees it. */
const stoppedFor = (millis: number) =>
  Effect.map(Clock.Clock, (clock) => {
    const current = clock.currentTimeMillisUnsafe.bind(clock)
    Object.assign(clock, {
      currentTimeMillis: Effect.sync(() => current() + millis),
      currentTimeMillisUnsafe: () => current() + millis
    })
  })

/** An app whose job runs up to 50 seconds after each full minute. */
const jittered = (run: () => void) =>
  appOf(Job.every("late", "1 minute", Effect.sync(run), { jitter: "50 seconds" }))

describe("odd jobs", () => {
  it.effect("a run that never ends fills no memory with skipped runs", () =>
    Effect.gen(function* () {
      const app = appOf(Job.every("stuck", "100 millis", Effect.never))
      const test = yield* TestApp.make(app, { config: { ...atOnce, jobs: { keep: 5 } } })
      yield* TestClock.adjust("30 seconds")
      const runs = yield* test.run(history("stuck"))
      assert.isAtMost(runs.length, 6)
      assert.strictEqual(runs.at(-1)?.status, "running")
    })
  )

  it.effect("the history is as long as configured after many missed due times with `all`", () =>
    Effect.gen(function* () {
      let runs = 0
      const app = appOf(
        Job.every(
          "all",
          "1 second",
          Effect.sync(() => runs++),
          { missed: "all", missedLimit: 500 }
        )
      )
      const test = yield* TestApp.make(app, { config: { jobs: { keep: 5 } } })
      yield* TestClock.adjust("400 seconds")
      assert.strictEqual(runs, 400)
      assert.strictEqual((yield* test.run(history("all"))).length, 5)
    })
  )

  it.effect("a job with `skip` that was late once skips again what is due during a run", () =>
    Effect.gen(function* () {
      const slow = Job.every("slow", "10 seconds", Effect.sleep("15 seconds"), { missed: "all" })
      const test = yield* TestApp.make(appOf(slow), { config: atOnce })
      yield* TestClock.adjust("15 seconds")
      yield* stoppedFor(60_000)
      yield* TestClock.adjust("10 minutes")
      const runs = yield* test.run(history("slow"))
      const late = ({ dueAt, startedAt }: (typeof runs)[number]) => startedAt - dueAt
      const found = runs.filter((run) => late(run) > 10_000)
      // The six due times of the stop run one after the other, and those after it when they are due.
      assert.deepStrictEqual(
        new Set(found.map(({ status }) => status)),
        new Set(["succeeded", "skipped"])
      )
      assert.isAtMost(Math.max(...runs.slice(0, 20).map(late)), 1000)
      assert.includeMembers(
        runs.slice(0, 20).map(({ status }) => status),
        ["skipped", "succeeded"]
      )
    })
  )

  it.effect("missed due times with `all` and `cancel` run one after the other", () =>
    Effect.gen(function* () {
      const cancelled = Job.every("brief", "1 minute", Effect.sleep("1 second"), {
        missed: "all",
        overlap: "cancel"
      })
      const test = yield* TestApp.make(appOf(cancelled))
      yield* TestClock.adjust("65 seconds")
      yield* stoppedFor(240_000)
      yield* TestClock.adjust("30 seconds")
      const runs = yield* test.run(history("brief"))
      assert.deepStrictEqual(
        runs.map(({ dueAt, status }) => [dueAt / 60_000, status]),
        [5, 4, 3, 2, 1].map((minute) => [minute, "succeeded"])
      )
    })
  )

  it.effect("run now with `cancel` interrupts the run before it at once", () =>
    Effect.gen(function* () {
      let interrupted = 0
      const slow = Effect.onInterrupt(Effect.sleep("1 minute"), () =>
        Effect.sync(() => interrupted++)
      )
      const test = yield* TestApp.make(
        appOf(Job.cron("slow", "0 0 1 1 *", slow, { overlap: "cancel" })),
        {
          config: atOnce
        }
      )
      const now = test.run(Service.use(({ runNow }) => runNow("slow")))
      const first = yield* Effect.forkChild(now)
      yield* TestClock.adjust("1 second")
      const second = yield* Effect.forkChild(now)
      assert.strictEqual((yield* Fiber.join(first)).status, "cancelled")
      assert.strictEqual(interrupted, 1)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Fiber.join(second)).status, "succeeded")
    })
  )

  it.effect("an interruption during the jitter runs nothing", () =>
    Effect.gen(function* () {
      let runs = 0
      const app = jittered(() => runs++)
      const scope = yield* Scope.make()
      yield* Scope.provide(TestApp.make(app, { config: atOnce }), scope)
      yield* TestClock.adjust("60 seconds")
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(runs, 0)
    })
  )

  it.effect("a drain does not wait for the jitter of a run, which does not begin", () =>
    Effect.gen(function* () {
      let runs = 0
      const app = jittered(() => runs++)
      const scope = yield* Scope.make()
      yield* Scope.provide(TestApp.make(app), scope)
      yield* TestClock.adjust("60 seconds")
      yield* Scope.close(scope, Exit.void)
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(runs, 0)
    })
  )

  it.effect("a process that starts no jobs is not degraded by them", () =>
    Effect.gen(function* () {
      const app = appOf(Job.every("hourly", "1 hour", Effect.void))
      const test = yield* TestApp.make(app, { config: { app: { role: "server" } } })
      yield* TestClock.adjust("3 hours")
      assert.isUndefined(yield* test.run(degraded))
    })
  )

  it.effect("runs by hand do not make a job look late", () =>
    Effect.gen(function* () {
      const app = appOf(Job.every("hourly", "1 hour", Effect.void))
      const test = yield* TestApp.make(app, { config: { jobs: { keep: 5 } } })
      yield* TestClock.adjust("3 hours")
      for (let i = 0; i < 10; i++) yield* test.run(Service.use(({ runNow }) => runNow("hourly")))
      assert.isUndefined(yield* test.run(degraded))
    })
  )

  it.effect("a run starts within its jitter", () =>
    Effect.gen(function* () {
      let runs = 0
      const app = jittered(() => runs++)
      yield* TestApp.make(app)
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(runs, 0)
      yield* TestClock.adjust("50 seconds")
      assert.strictEqual(runs, 1)
    })
  )

  it.effect(
    "1 000 jobs of one app run once each minute, and the list and the health have all",
    () =>
      Effect.gen(function* () {
        let runs = 0
        const jobs = Array.from({ length: 1000 }, (_, index) =>
          Job.every(
            `job-${index}`,
            "1 minute",
            Effect.sync(() => runs++)
          )
        )
        const test = yield* TestApp.make(appOf(...jobs))
        yield* TestClock.adjust("2 minutes")
        assert.strictEqual(runs, 2000)
        const list = yield* test.run(Service.use((service) => service.list))
        assert.strictEqual(list.length, 1000)
        assert.isTrue(list.every(({ last }) => last?.status === "succeeded"))
        assert.strictEqual(yield* test.run(degraded), undefined)
      })
  )

  it.effect("a due time to come that is claimed degrades the health", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(appOf(Job.every("often", "1 minute", Effect.void)))
      yield* TestClock.setTime(10 * 3_600_000)
      yield* TestClock.adjust("1 minute")
      yield* TestClock.setTime(3_600_000)
      const found = yield* test.run(degraded)
      assert.include(
        found?.reason ?? "",
        "often has run for 1970-01-01T10:01:00.000Z, a time to come"
      )
    })
  )

  it.effect("have metrics by job and outcome, and a span with the run id of the log line", () =>
    Effect.gen(function* () {
      const { named, tracer } = kept()
      const app = App.make("shop", [
        Jobs.plugin,
        Metrics.plugin,
        Plugin.make("app:orders", {
          contributes: [
            Job.every("metered", "1 minute", Effect.logInfo("within")),
            Job.every("broken", "1 minute", Effect.fail("no"))
          ]
        })
      ])
      const test = yield* Effect.withTracer(TestApp.make(app), tracer)
      yield* TestClock.adjust("1 minute")
      const [run] = yield* test.run(history("metered"))
      const { attributes } = named("job metered")
      assert.strictEqual(attributes.get("flange.job.run_id"), run?.id)
      assert.strictEqual(attributes.get("flange.job.trigger"), "schedule")
      for (const message of ["within", "Job metered succeeded"]) {
        const line = test.logs.find((each) => String(each.message).includes(message))
        assert.strictEqual(line?.annotations["runId"], run?.id, message)
        assert.strictEqual(line?.annotations["job"], "metered")
      }
      const { text } = yield* test.get("/metrics")
      const runs = (job: string, outcome: string) =>
        valueOf(text, "flange_jobs_runs_total", { job, outcome })
      assert.strictEqual(runs("metered", "succeeded"), 1)
      assert.strictEqual(runs("metered", "failed"), 0)
      assert.strictEqual(runs("broken", "failed"), 1)
      for (const name of ["duration", "lateness"]) {
        assert.strictEqual(
          valueOf(text, `flange_jobs_${name}_seconds_count`, { job: "metered" }),
          1
        )
      }
    })
  )

  it.effect("a double of the service replaces the layer of the plugin", () =>
    Effect.gen(function* () {
      const double = Service.of({
        history: () => Effect.succeed([]),
        list: Effect.succeed([]),
        runNow: (job) => Effect.fail(new Jobs.JobBusy({ job }))
      })
      const test = yield* TestApp.make(appOf(Job.every("often", "1 second", Effect.void)), {
        replace: [[Jobs.plugin, Layer.succeed(Service, double)]]
      })
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(yield* test.run(history("often")), [])
    })
  )
})

describe("the admin port", () => {
  it.effect("answers 404 for names that no job has, however they are written", () =>
    Effect.gen(function* () {
      const app = App.make("shop", [
        Admin.plugin,
        Jobs.plugin,
        Plugin.make("app:orders", { contributes: [Job.every("a:b", "1 minute", Effect.void)] })
      ])
      const admin = (yield* TestApp.make(app)).port("admin")
      const headers = { "x-requested-with": "test" }
      for (const name of ["none", "%2525", "%25", "a%2Fb", "a%00b", "é"]) {
        ;(yield* admin.get(`/jobs/${name}/runs`)).expectStatus(404)
      }
      const broken = yield* admin.get("/jobs/%E0%A4%A/runs")
      assert.include([400, 404], broken.status)
      ;(yield* admin.post("/jobs/a%3Ab/run", { headers })).expectStatus(200)
    })
  )

  it.live("bounds a storm of run now: one runs, the others are refused", () =>
    Effect.gen(function* () {
      const open = yield* Deferred.make<void>()
      let runs = 0
      const app = App.make("shop", [
        Admin.plugin,
        Jobs.plugin,
        Plugin.make("app:orders", {
          contributes: [
            Job.cron(
              "slow",
              "0 0 1 1 *",
              Effect.andThen(
                Effect.sync(() => runs++),
                Deferred.await(open)
              )
            )
          ]
        })
      ])
      const admin = (yield* TestApp.make(app)).port("admin")
      const one = Effect.tap(
        admin.post("/jobs/slow/run", { headers: { "x-requested-with": "test" } }),
        ({ status }) => (status === 409 ? Deferred.succeed(open, undefined) : Effect.void)
      )
      const replies = yield* Effect.all(
        Array.from({ length: 50 }, () => one),
        {
          concurrency: "unbounded"
        }
      )
      const count = (status: number) => replies.filter((each) => each.status === status).length
      assert.strictEqual(count(200), runs)
      assert.strictEqual(count(200) + count(409), 50)
      assert.isAtLeast(count(409), 1)
    })
  )
})

describe("with a database", () => {
  const shared = (...jobs: ReadonlyArray<Jobs.Job.Job<SqlClient>>) =>
    App.make("shop", [
      Database.plugin,
      Jobs.withCluster,
      Plugin.make("app:orders", { contributes: jobs, requires: [SqlClient] })
    ])
  const config = { database: { url: "pglite://memory" } }

  it.live("a failed run with `transaction` leaves none of its work", () =>
    Effect.gen(function* () {
      let fails = true
      const work = Effect.gen(function* () {
        const sql = yield* SqlClient
        yield* sql`insert into done (n) values (1)`
        if (fails) yield* Effect.die("after the write")
      })
      const test = yield* TestApp.make(
        shared(Job.cron("write", "0 0 1 1 *", work, { transaction: true })),
        { config }
      )
      const sql = yield* test.run(SqlClient)
      yield* sql`create table done (n integer)`
      const now = test.run(Service.use(({ runNow }) => runNow("write")))
      const failed = yield* now
      assert.strictEqual(failed.status, "failed")
      assert.include(failed.error ?? "", "after the write")
      assert.deepStrictEqual(yield* sql`select n from done`, [])
      fails = false
      assert.strictEqual((yield* now).status, "succeeded")
      assert.deepStrictEqual(yield* sql`select n from done`, [{ n: 1 }])
    })
  )

  it.live("a storm of run now with `cancel` has a row for each run that was claimed", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(
        shared(Job.cron("quick", "0 0 1 1 *", Effect.sleep(5), { overlap: "cancel" })),
        { config }
      )
      const runs = yield* Effect.all(
        Array.from({ length: 30 }, () => test.run(Service.use(({ runNow }) => runNow("quick")))),
        { concurrency: "unbounded" }
      )
      assert.isTrue(runs.every(({ status }) => status === "cancelled" || status === "succeeded"))
      assert.strictEqual(new Set(runs.map(({ dueAt }) => dueAt)).size, 30)
    })
  )

  it.live("runs of jobs that were removed are pruned when they are old", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(shared(Job.cron("kept", "0 0 1 1 *", Effect.void)), {
        config
      })
      const sql = yield* test.run(SqlClient)
      const store = (yield* Effect.promise(
        () => import("../../../src/Layers/Jobs/SqlStore.ts")
      )).make(sql, "shop", "00000000-0000-4000-8000-000000000000", { age: 1000, count: 9 })
      const claim = (job: string, now: number) =>
        store.claim({
          dueAt: now,
          id: crypto.randomUUID(),
          isEarlyAllowed: true,
          job,
          now,
          overlap: "skip",
          trigger: "schedule"
        })
      for (const job of ["kept", "gone"]) yield* claim(job, 1000)
      yield* claim("new", 9000)
      yield* store.pruneOthers(["kept"], 9500)
      assert.deepStrictEqual(
        (yield* sql`select job from flange_job_runs order by job`).map(({ job }) => job),
        ["kept", "new"]
      )
    })
  )
})

describe("the scheduler", () => {
  const job = (name: string, more: object = {}): BoundJob =>
    ({
      ...Job.every(name, "1 second", Effect.void, more),
      plugin: "app:orders",
      value: Effect.void
    }) as never // a contribution as the boot binds it

  const schedule = (change: (store: RunStore) => Partial<RunStore>) =>
    Effect.gen(function* () {
      const memory = MemoryStore.make("owner", { age: 1e12, count: 100 })
      const store = { ...memory, ...change(memory) }
      const scheduler = yield* Scheduler.make(store, true)
      return { scheduler, store }
    }).pipe(Effect.provideContext(Context.empty()))

  it.effect("asks for a run again whose claim was stored and whose answer was lost", () =>
    Effect.gen(function* () {
      let lost = 0
      const asked: Array<readonly [boolean, ReadonlyArray<string>]> = []
      const { scheduler } = yield* schedule((memory) => ({
        claim: (wanted) =>
          lost++ === 0
            ? Effect.andThen(
                memory.claim(wanted),
                Effect.fail(new Jobs.JobStoreError({ cause: "gone", operation: "claim" }))
              )
            : memory.claim(wanted),
        takeOver: (_, isExpired, running) =>
          Effect.sync(() => {
            asked.push([isExpired, running])
            return []
          })
      }))
      yield* scheduler.startLoops([job("a")])
      yield* TestClock.adjust("12 seconds")
      assert.deepStrictEqual(asked.at(-1), [true, []])
    })
  )

  it.effect(
    "counts what became due in an outage of the store as missed, also if it was late before",
    () =>
      Effect.gen(function* () {
        let isAway = false
        const claimed: Array<number> = []
        const { scheduler } = yield* schedule((memory) => ({
          claim: (wanted) =>
            isAway
              ? Effect.fail(new Jobs.JobStoreError({ cause: "gone", operation: "claim" }))
              : Effect.tap(memory.claim(wanted), (claim) =>
                  Effect.sync(() => claim === "claimed" && claimed.push(wanted.dueAt / 1000))
                ),
          time: undefined
        }))
        const slow = { ...job("slow", { overlap: "queue" }), value: Effect.sleep("1500 millis") }
        yield* scheduler.startLoops([slow])
        yield* TestClock.adjust("9 seconds")
        isAway = true
        yield* TestClock.adjust("1 minute")
        isAway = false
        const before = claimed.length
        yield* TestClock.adjust("10 seconds")
        const after = claimed.slice(before)
        // The newest that were missed, and those since.
        assert.isAbove(after.length, 2)
        assert.isAbove(Math.min(...after), 60)
      })
  )

  it.effect("waits for its due time by the clock of the store", () =>
    Effect.gen(function* () {
      let claims = 0
      const { scheduler, store } = yield* schedule((memory) => ({
        claim: (wanted) => (++claims <= 3 ? Effect.succeed("early" as const) : memory.claim(wanted))
      }))
      yield* scheduler.startLoops([job("a")])
      yield* TestClock.adjust("2600 millis")
      assert.deepStrictEqual(
        (yield* store.history("a", 9)).map(({ dueAt }) => dueAt),
        [2000, 1000]
      )
    })
  )
})
