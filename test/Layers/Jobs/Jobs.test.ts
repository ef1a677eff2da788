import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { App, AppRuntime, HealthCheck, Plugin, Role } from "flange"
import * as Admin from "flange/Admin"
import * as Jobs from "flange/Jobs"
import { TestApp } from "flange/Testing"

const { Job } = Jobs

const appOf = (...jobs: ReadonlyArray<Jobs.Job.Job<never>>) =>
  App.make("shop", [Jobs.plugin, Plugin.make("app:orders", { contributes: jobs })])

/** A job that notes when its runs start. */
const noting = (times: Array<number>, more: Effect.Effect<unknown> = Effect.void) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    times.push(now)
    return more
  })

const statuses = (name: string) =>
  Effect.map(
    Jobs.Jobs.use(({ history }) => history(name)),
    (runs) => runs.map(({ status }) => status).toReversed()
  )

describe("jobs on the clock of the test", () => {
  it.effect("run at each due time", () =>
    Effect.gen(function* () {
      const every: Array<number> = []
      const cron: Array<number> = []
      yield* TestApp.make(
        appOf(
          Job.every("every", "60 seconds", noting(every)),
          Job.cron("cron", "30 2 * * *", noting(cron))
        )
      )
      yield* TestClock.adjust("3 minutes")
      assert.deepStrictEqual(every, [60_000, 120_000, 180_000])
      yield* TestClock.adjust("2 days")
      assert.deepStrictEqual(cron, [9_000_000, 95_400_000])
    })
  )

  it.effect("use the services of the app", () =>
    Effect.gen(function* () {
      class Stock extends Context.Service<Stock, { count: number }>()("app/Stock") {}
      const stock = { count: 0 }
      const app = App.make("shop", [
        Jobs.plugin,
        Plugin.make("app:stock", { layer: Layer.succeed(Stock, stock), provides: [Stock] }),
        Plugin.make("app:orders", {
          contributes: [
            Job.every(
              "count",
              "1 second",
              Effect.map(Stock, (found) => found.count++)
            )
          ],
          requires: [Stock]
        })
      ])
      yield* TestApp.make(app)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(stock.count, 2)
    })
  )

  it.effect("skip, queue or cancel a run while another one runs", () =>
    Effect.gen(function* () {
      const times = { cancel: [], queue: [], skip: [] } as Record<string, Array<number>>
      const slow = (overlap: "cancel" | "queue" | "skip") =>
        Job.every(overlap, "10 seconds", noting(times[overlap]!, Effect.sleep("15 seconds")), {
          overlap
        })
      const test = yield* TestApp.make(appOf(slow("skip"), slow("queue"), slow("cancel")), {
        // The runs at the end of the test are not waited for: its clock stands still.
        config: { app: { drainTimeout: "0 seconds" } }
      })
      yield* TestClock.adjust("41 seconds")
      assert.deepStrictEqual(times, {
        cancel: [10_000, 20_000, 30_000, 40_000],
        queue: [10_000, 25_000, 40_000],
        skip: [10_000, 30_000]
      })
      assert.deepStrictEqual(yield* test.run(statuses("skip")), [
        "succeeded",
        "skipped",
        "running",
        "skipped"
      ])
      assert.deepStrictEqual(yield* test.run(statuses("cancel")), [
        "cancelled",
        "cancelled",
        "cancelled",
        "running"
      ])
    })
  )

  it.effect("run missed due times after a step of the clock as their policy says", () =>
    Effect.gen(function* () {
      const times = { all: [], none: [], once: [] } as Record<string, Array<number>>
      const noted = (missed: "all" | "none" | "once") =>
        Job.every(missed, "60 seconds", noting(times[missed]!), { missed, missedLimit: 3 })
      const test = yield* TestApp.make(appOf(noted("all"), noted("none"), noted("once")))
      yield* TestClock.adjust("65 seconds")
      // The clock jumps without waking those that sleep.
      const offset = 600_000
      const real = yield* Clock.Clock
      const current = real.currentTimeMillisUnsafe.bind(real)
      Object.assign(real, { currentTimeMillisUnsafe: () => current() + offset })
      Object.assign(real, { currentTimeMillis: Effect.sync(() => current() + offset) })
      yield* TestClock.adjust("10 seconds")
      const dues = Effect.map(
        Jobs.Jobs.use(({ history }) => history("all")),
        (runs) => runs.map(({ dueAt }) => dueAt / 60_000).toReversed()
      )
      assert.deepStrictEqual(yield* test.run(dues), [1, 9, 10, 11])
      assert.strictEqual(times["none"]!.length, 1)
      assert.strictEqual(times["once"]!.length, 2)
      // Back again: the due times of the new clock run, and none runs twice. The first one is before the next look.
      yield* TestClock.adjust("40 seconds")
      Object.assign(real, {
        currentTimeMillisUnsafe: current,
        currentTimeMillis: Effect.sync(current)
      })
      yield* TestClock.adjust("9 minutes")
      const early = [1, 9, 10, 11, 2, 3, 4, 5, 6, 7, 8]
      assert.deepStrictEqual(yield* test.run(dues), early)
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(yield* test.run(dues), [...early, 12])
      assert.strictEqual(times["none"]!.length, 12)
      assert.strictEqual(times["once"]!.length, 12)
    })
  )

  it.effect(
    "that fail, die or exceed their timeout are in the history, the log and the health",
    () =>
      Effect.gen(function* () {
        const test = yield* TestApp.make(
          appOf(
            Job.every(
              "dies",
              "60 seconds",
              Effect.sync(() => {
                throw new Error("no stock")
              })
            ),
            Job.every("slow", "60 seconds", Effect.never, { timeout: "2 seconds" })
          )
        )
        yield* TestClock.adjust("65 seconds")
        const first = yield* test.run(Jobs.Jobs.use(({ history }) => history("dies")))
        assert.include(first[0]?.error ?? "", "no stock")
        const slow = yield* test.run(Jobs.Jobs.use(({ history }) => history("slow")))
        assert.include(slow[0]?.error ?? "", "Not done within 2000 ms")
        const { contributions } = yield* test.run(AppRuntime)
        const check = contributions(HealthCheck.kind).find(({ name }) => name === "jobs")!.value
        assert.strictEqual(yield* check, undefined)
        yield* TestClock.adjust("2 minutes")
        assert.include(
          (yield* check as Effect.Effect<{ reason: string }>).reason,
          "dies failed 3 times in a row"
        )
        const line = test.logs.find(({ message }) => String(message).includes("Job dies failed"))
        assert.isDefined(line)
        assert.strictEqual(line?.annotations["job"], "dies")
        assert.strictEqual(line?.annotations["runId"], first[0]?.id)
      })
  )

  it.effect("keep a bounded history", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(appOf(Job.every("often", "1 second", Effect.void)), {
        config: { jobs: { keep: 5 } }
      })
      yield* TestClock.adjust("60 seconds")
      const runs = yield* test.run(Jobs.Jobs.use(({ history }) => history("often", 1000)))
      assert.deepStrictEqual(
        runs.map(({ dueAt }) => dueAt),
        [60_000, 59_000, 58_000, 57_000, 56_000]
      )
    })
  )

  it.effect("of a process without the role scheduler run on demand only", () =>
    Effect.gen(function* () {
      const times: Array<number> = []
      const test = yield* TestApp.make(appOf(Job.every("every", "1 second", noting(times))), {
        config: { app: { role: "worker" } }
      })
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(times.length, 0)
      const run = yield* test.run(Jobs.Jobs.use(({ runNow }) => runNow("every")))
      assert.strictEqual(run.status, "succeeded")
      assert.strictEqual(run.trigger, "manual")
      const unknown = yield* Effect.flip(test.run(Jobs.Jobs.use(({ runNow }) => runNow("none"))))
      assert.strictEqual(unknown.message, 'The app has no job "none". It has: every.')
    })
  )

  it.effect("that run when the app stops finish first", () =>
    Effect.gen(function* () {
      let done = 0
      const app = appOf(
        Job.every(
          "slow",
          "10 seconds",
          Effect.andThen(
            Effect.sleep("5 seconds"),
            Effect.sync(() => done++)
          )
        )
      )
      const scope = yield* Scope.make()
      yield* Scope.provide(TestApp.make(app), scope)
      yield* TestClock.adjust("11 seconds")
      const stopped = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("20 seconds")
      yield* Fiber.join(stopped)
      assert.strictEqual(done, 1)
    })
  )
})

const unchecked = [
  Job.cron("j", undefined as never, Effect.void),
  Job.cron("k", "0 6 * * *", Effect.void, { timezone: null as never }),
  Job.every("l", "1 minute", Effect.void, { overlap: "wait" as never }),
  Job.every("m", "1 minute", Effect.void, { missed: "some" as never }),
  Job.every("n", "1 minute", Effect.void, { jitter: Number.NaN }),
  Job.every("o", "1 minute", Effect.void, { timeout: { minute: 5 } as never }),
  Job.every("p", "1 minute", undefined as unknown as Effect.Effect<void>),
  Job.every(5 as never, "1 minute", Effect.void)
]

describe("jobs that cannot run", () => {
  it.effect("are refused before anything is acquired, all at once", () =>
    Effect.gen(function* () {
      const app = App.make("shop", [
        Jobs.plugin,
        Plugin.make("app:orders", {
          contributes: [
            Job.cron("a", "0 25 * * *", Effect.void),
            Job.cron("b", "0 6 * * *", Effect.void, { timezone: "Mars/Base" }),
            Job.every("c", "0 seconds", Effect.void),
            Job.every("d e", "1 minute", Effect.void),
            Job.every("f", "1 minute", Effect.void, { missedLimit: 0 }),
            Job.every("g", "1 minute", Effect.void, { transaction: true }),
            Job.cron("h", "0 0 31 2 *", Effect.void),
            Job.every("i", "1000000000 days", Effect.void),
            Job.every("q", "1 minute", Effect.void, { jitter: "60 seconds" }),
            Role.assign(Job.every("r", "1 minute", Effect.void), "server", "worker"),
            Job.cron("east", "0 6 * * *", Effect.void, { timezone: "+14:01" }),
            Job.cron("west", "0 6 * * *", Effect.void, { timezone: "-25:00" }),
            // A program that no compiler has checked.
            ...unchecked
          ]
        }),
        Plugin.make("app:mail", { contributes: [Job.every("g", "1 minute", Effect.void)] })
      ])
      const error = yield* Effect.flip(TestApp.make(app))
      assert.strictEqual(error._tag, "AssemblyError")
      for (const part of [
        'The job "a" of "app:orders" cannot run: its cron expression is "0 25 * * *"',
        'its time zone is "Mars/Base", which does not exist: write an IANA name',
        'its time zone is "+14:01", which does not exist: write an IANA name',
        'its time zone is "-25:00", which does not exist: write an IANA name',
        'its interval is "0 seconds": write a duration from',
        'its interval is "1000000000 days": write a duration from',
        'The job "d e" of "app:orders" cannot run: its name has to be',
        "its missedLimit is 0: write a whole number from 1 to 10000.",
        'The job "g" of "app:orders" has `transaction`, and Jobs.plugin has no database',
        'The job "g" of "app:mail" has the name of one of "app:orders"',
        "names no day that exists",
        'The job "j" of "app:orders" cannot run: its cron expression is undefined: write five fields',
        "its time zone is null, which does not exist",
        'its overlap is "wait": write "cancel", "queue" or "skip".',
        'its missed is "some": write "all", "none" or "once".',
        "its jitter is NaN: write a duration",
        'its jitter is "60 seconds": write a duration below its interval, "every 1m".',
        'The job "r" of "app:orders" is assigned to "server" and "worker", and only processes with the role "scheduler" carry it out: remove Role.assign, or add "scheduler".',
        "its timeout is [object Object]: write a duration",
        "its effect is undefined: write an Effect.",
        'The job "5" of "app:orders" cannot run: its name has to be'
      ]) {
        assert.include(error.message, part)
      }
    })
  )

  it.effect("of a runner that the plugin does not have are refused", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        TestApp.make(App.make("shop", [Jobs.plugin]), { config: { jobs: { runner: "cluster" } } })
      )
      assert.include(error.message, "List Database.plugin and Jobs.withCluster in its place")
    })
  )
})

describe("the admin port", () => {
  it.effect("lists jobs and runs, and runs a job", () =>
    Effect.gen(function* () {
      const app = App.make("shop", [
        Admin.plugin,
        Jobs.plugin,
        Plugin.make("app:orders", {
          contributes: [Job.every("orders:expire", "60 seconds", Effect.void)]
        })
      ])
      const admin = (yield* TestApp.make(app)).port("admin")
      const headers = { "x-requested-with": "test" }
      const run = yield* admin.post("/jobs/orders:expire/run", { headers })
      run.expectStatus(200)
      yield* admin.post("/jobs/orders:expire/run", { headers })
      const runs = (query: string) => admin.get(`/jobs/orders:expire/runs${query}`)
      assert.lengthOf((yield* runs("")).expectStatus(200).json as Array<unknown>, 2)
      assert.lengthOf((yield* runs("?limit=1")).expectStatus(200).json as Array<unknown>, 1)
      for (const limit of ["0", "1001", "1.5", "many", ""]) {
        ;(yield* runs(`?limit=${limit}`)).expectProblem("VALIDATION_FAILED", 400)
      }
      const list = yield* admin.get("/jobs")
      assert.include(JSON.stringify(list.json), '"schedule":"every 1m"')
      ;(yield* admin.post("/jobs/none/run", { headers })).expectStatus(404)
    })
  )
})
