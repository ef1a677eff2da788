import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { SqlClient } from "effect/sql/SqlClient"
import { App, Plugin, Role } from "flange"
import * as Database from "flange/Database"
import * as Queue from "flange/Queue"
import { TestApp } from "flange/Testing"
import { describe, expect, it } from "vitest"
import * as Failure from "../../../src/Layers/Queue/Failure.ts"
import * as backends from "../Database/backends.ts"
import { until } from "../Idempotency/conformance.ts"

const Job = Schema.Struct({ what: Schema.String })

class Refused extends Schema.Error<Refused>("Refused")({
  _tag: Schema.tag("Refused"),
  why: Schema.String
}) {}

const quick = { payload: Job, retry: Schedule.spaced("1 millis") }

const run = <A>(effect: Effect.Effect<A, unknown, Scope.Scope>) =>
  Effect.runPromise(Effect.scoped(effect))

const item = (queue: string, id: string) =>
  Effect.flatMap(Queue.QueueStore, (store) => store.get(queue, id))

const isIn = (state: Queue.State, queue: string, id: string) =>
  Effect.map(item(queue, id), (found) => found?.state === state)

const suite = (backend: "database" | "memory") => {
  const check = (title: string, test: () => Promise<unknown>) => it(title, test, 60_000)

  /** Boots an app with these workers. */
  const boot = (
    workers: ReadonlyArray<Queue.Worker<never>>,
    queue: object = {},
    url?: string,
    app: object = {}
  ) =>
    Effect.gen(function* () {
      const Work = Plugin.make("app:work", {
        contributes: [...workers],
        requires: [Queue.Queues]
      })
      const values = { app, queue: { pollInterval: "20 millis", ...queue } }
      if (backend === "memory") {
        return yield* TestApp.make(App.make("shop", [Queue.plugin, Work], { config: { values } }))
      }
      const database = { url: url ?? (yield* backends.postgres.fresh) }
      return yield* TestApp.make(
        App.make("shop", [Database.plugin, Queue.withDatabase, Work], {
          config: { values: { ...values, database } }
        })
      )
    })

  check(
    "a handler that fails is tried again with its attempt, and then its item is completed",
    () =>
      run(
        Effect.gen(function* () {
          const seen: Array<number> = []
          const Jobs = Queue.make("jobs", { ...quick, success: Schema.Number })
          const worker = Jobs.worker((_, { attempts }) =>
            Effect.suspend(() => {
              seen.push(attempts)
              return attempts < 3 ? Effect.fail("not yet") : Effect.succeed(attempts * 7)
            })
          )
          const app = yield* boot([worker])
          yield* app.run(Jobs.enqueue({ what: "x" }, { id: "a" }))
          yield* until(app.run(isIn("completed", "jobs", "a")))
          expect(seen).toEqual([1, 2, 3])
          expect((yield* app.run(item("jobs", "a")))?.result).toBe("21")
        })
      )
  )

  check("a result above queue.maxPayload is not kept, and its item is dead", () =>
    run(
      Effect.gen(function* () {
        const Jobs = Queue.make("jobs", { ...quick, maxAttempts: 2, success: Schema.String })
        const worker = Jobs.worker(({ what }) => Effect.succeed("é".repeat(Number(what))))
        const app = yield* boot([worker], { maxPayload: "1 KiB" })
        yield* app.run(Jobs.enqueue({ what: "511" }, { id: "fits" }))
        yield* app.run(Jobs.enqueue({ what: "512" }, { id: "is too large" }))
        yield* until(app.run(isIn("completed", "jobs", "fits")))
        yield* until(app.run(isIn("dead", "jobs", "is too large")))
        const dead = yield* app.run(item("jobs", "is too large"))
        expect(dead).toMatchObject({ attempts: 2, result: undefined })
        const { kind, message } = Failure.decode(dead!.failure!)
        expect(kind).toBe("defect")
        expect(message).toContain(
          'QueueRefused: The result of an item of the queue "jobs" is refused: it has 1026 bytes of JSON, and queue.maxPayload is 1024. Keep large data elsewhere and return its key'
        )
      })
    )
  )

  check("a result without a form in JSON is null, and its item is completed", () =>
    run(
      Effect.gen(function* () {
        const Jobs = Queue.make("jobs", { ...quick, success: Schema.Any })
        const app = yield* boot([Jobs.worker(() => Effect.void)])
        yield* app.run(Jobs.enqueue({ what: "a" }, { id: "a" }))
        yield* until(app.run(isIn("completed", "jobs", "a")))
        expect((yield* app.run(item("jobs", "a")))!.result).toBe("null")
      })
    )
  )

  check("dead letters have the kind of the last failure, its text and the typed error", () =>
    run(
      Effect.gen(function* () {
        const Jobs = Queue.make("jobs", {
          ...quick,
          error: Refused,
          maxAttempts: 2,
          timeout: "20 millis"
        })
        const worker = Jobs.worker(({ what }) => {
          if (what === "throws") throw new Error("thrown before an effect")
          if (what === "dies") return Effect.die(new Error("a defect"))
          if (what === "hangs") return Effect.never
          if (what === "interrupts") return Effect.interrupt
          return Effect.fail(new Refused({ why: what }))
        })
        const app = yield* boot([worker])
        const all = ["throws", "dies", "hangs", "interrupts", "fails \0"]
        yield* app.run(Jobs.enqueueAll(all.map((what, i) => ({ id: `i${i}`, payload: { what } }))))
        const failures: Array<Queue.Failure> = []
        for (const i of all.keys()) {
          yield* until(app.run(isIn("dead", "jobs", `i${i}`)))
          const found = yield* app.run(item("jobs", `i${i}`))
          expect(found!.attempts).toBe(2)
          failures.push(Failure.decode(found!.failure!))
        }
        expect(failures.map(({ kind }) => kind)).toEqual([
          "defect",
          "defect",
          "timeout",
          "defect",
          "failure"
        ])
        expect(failures[0]!.message).toContain("thrown before an effect")
        expect(failures[4]!.error).toEqual({ _tag: "Refused", why: "fails \0" })
      })
    )
  )

  check(
    "an item that cannot be decoded is dead with its issues, and the next ones are handled",
    () =>
      run(
        Effect.gen(function* () {
          const seen: Array<string> = []
          const Jobs = Queue.make("jobs", {
            ...quick,
            migrate: {
              1: (old) => {
                if (old === "throw") throw new Error("cannot migrate")
                return { text: old }
              },
              2: (old) => ({ what: (old as { text: string }).text })
            },
            version: 3
          })
          const app = yield* boot([
            Jobs.worker(({ what }) => Effect.sync(() => void seen.push(what)))
          ])
          const elements = [
            '{"version":3,"payload":{"what":5}}',
            '{"version":1,"payload":"throw"}',
            '{"version":0,"payload":"x"}',
            '{"other":true}',
            "not json",
            "null",
            '{"version":1,"payload":"one"}',
            '{"version":2,"payload":{"text":"two"}}',
            '{"version":4,"payload":{"what":"four","more":1}}'
          ]
          yield* app.run(
            Effect.flatMap(Queue.QueueStore, (store) =>
              store.offer(
                "jobs",
                elements.map((element, i) => ({
                  delay: 0,
                  element,
                  id: `i${i}`,
                  keep: true,
                  priority: 0,
                  tenant: ""
                }))
              )
            )
          )
          for (const i of [6, 7, 8]) yield* until(app.run(isIn("completed", "jobs", `i${i}`)))
          for (const [i, text] of [
            [0, "what"],
            [1, "cannot migrate"],
            [2, "no migration of version 0"],
            [3, "no envelope"],
            [4, "not JSON"],
            [5, "no envelope"]
          ] as const) {
            yield* until(app.run(isIn("dead", "jobs", `i${i}`)))
            const failure = Failure.decode((yield* app.run(item("jobs", `i${i}`)))!.failure!)
            expect(failure.kind).toBe("undecodable")
            expect(failure.message).toContain(text)
          }
          expect(seen.sort()).toEqual(["four", "one", "two"])
          const logged = app.logs.filter(({ level }) => level === "Error")
          expect(logged.map(({ annotations }) => annotations["itemId"]).sort()).toEqual(
            [0, 1, 2, 3, 4, 5].map((i) => `i${i}`)
          )
        })
      )
  )

  check("an item whose lease ended in its last attempt is logged as dead once", () =>
    run(
      Effect.gen(function* () {
        const Jobs = Queue.make("jobs", { ...quick, concurrency: 2, maxAttempts: 1 })
        const app = yield* boot([Jobs.worker(() => Effect.never)], { lease: "1 second" })
        const store = yield* app.run(Queue.QueueStore)
        const { renew } = store
        Object.assign(store, { renew: () => Effect.succeed([]) })
        yield* app.run(Jobs.enqueue({ what: "x" }, { id: "a" }))
        yield* until(app.run(isIn("dead", "jobs", "a")))
        // The handler, which still runs, is told now.
        Object.assign(store, { renew })
        const found = (text: string) => app.logs.filter(({ message }) => message.includes(text))
        const prefix =
          'Attempt 1, the last one, of an item of the queue "jobs" ended with a lost lease'
        yield* until(Effect.sync(() => found(prefix).length === 2))
        expect(found("The item is dead")).toMatchObject([
          {
            annotations: { attempt: 1, itemId: "a", queue: "jobs" },
            level: "Error",
            message: `${prefix}. The item is dead The worker ended during attempt 1, the last one, without settling it`
          }
        ])
      })
    )
  )

  check("what cannot be stored is refused with the reason, and nothing of its batch is added", () =>
    run(
      Effect.gen(function* () {
        const Jobs = Queue.make("jobs", quick)
        const Throws = Queue.make("throws", {
          payload: Schema.String.check(
            Schema.makeFilter(() => {
              throw new Error("a schema that throws")
            })
          )
        })
        const app = yield* boot([], {}, undefined, { role: "server" })
        const refusal = (options: Queue.ItemOptions, payload: unknown = { what: "x" }) =>
          Effect.flip(
            app.run(
              Jobs.enqueueAll([
                { payload: { what: "fine" } },
                { ...options, payload: payload as { what: string } }
              ])
            )
          )
        const table: ReadonlyArray<readonly [Queue.ItemOptions, string, unknown?]> = [
          [{ id: "" }, "id"],
          [{ id: "a\0b" }, "id"],
          [{ id: "x".repeat(201) }, "id"],
          [{ id: "\ud800" }, "id"],
          [{ id: " a" }, "id"],
          [{ tenant: "a\n" }, "tenant"],
          [{ priority: Number.NaN }, "priority"],
          [{ priority: 1001 }, "priority"],
          [{ delay: Number.POSITIVE_INFINITY }, "delay"],
          [{ delay: Number.NaN }, "delay"],
          [{ delay: new Date() as never }, "delay"],
          [{ tenant: Object.create(null) }, "tenant"],
          [{}, "payload", { what: 5 }],
          [{}, "payload", { what: "\u00e9".repeat(2 ** 18) }]
        ]
        for (const [options, field, payload] of table) {
          expect(yield* refusal(options, payload)).toMatchObject({ _tag: "QueueRefused", field })
        }
        expect(yield* Effect.flip(app.run(Throws.enqueue("x")))).toMatchObject({ field: "payload" })
        const stats = yield* app.run(
          Effect.flatMap(Queue.QueueStore, (store) => store.stats("jobs"))
        )
        expect(stats.waiting).toBe(0)
      })
    )
  )

  check("a process without the role worker enqueues and handles nothing", () =>
    run(
      Effect.gen(function* () {
        const Jobs = Queue.make("jobs", quick)
        const seen: Array<string> = []
        const app = yield* boot(
          [Jobs.worker(({ what }) => Effect.sync(() => void seen.push(what)))],
          {},
          undefined,
          { role: "server" }
        )
        expect(yield* app.run(Jobs.enqueue({ what: "x" }, { id: "a" }))).toEqual({
          id: "a",
          isNew: true
        })
        yield* Effect.sleep(100)
        expect(seen).toEqual([])
        expect((yield* app.run(item("jobs", "a")))?.state).toBe("waiting")
      })
    )
  )

  check(
    "the log lines of a handler have the request id, and its span has the trace of the request",
    () =>
      run(
        Effect.gen(function* () {
          const seen: Array<unknown> = []
          const Jobs = Queue.make("jobs", quick)
          const worker = Jobs.worker(() =>
            Effect.gen(function* () {
              const { requestId } = yield* References.CurrentLogAnnotations
              const span = yield* Effect.currentSpan
              seen.push(requestId, span.traceId, span.name)
            }).pipe(Effect.orDie)
          )
          const app = yield* boot([worker])
          const trace = yield* app.run(
            Effect.gen(function* () {
              yield* Jobs.enqueue({ what: "x" })
              return (yield* Effect.currentSpan).traceId
            }).pipe(Effect.withSpan("request"), Effect.annotateLogs({ requestId: "request-1" }))
          )
          yield* until(Effect.sync(() => seen.length > 0))
          expect(seen).toEqual(["request-1", trace, "queue jobs process"])
        })
      )
  )

  check("the drain waits for the handlers that run, and claims nothing more", () =>
    run(
      Effect.gen(function* () {
        const Jobs = Queue.make("jobs", { ...quick, concurrency: 2 })
        const begun: Array<string> = []
        const ended: Array<string> = []
        let release = () => {}
        const gate = new Promise<void>((resolve) => (release = resolve))
        const worker = Jobs.worker(({ what }) =>
          Effect.gen(function* () {
            begun.push(what)
            yield* Effect.promise(() => gate)
            ended.push(what)
          })
        )
        yield* Effect.scoped(
          Effect.gen(function* () {
            const app = yield* boot([worker])
            yield* app.run(
              Jobs.enqueueAll(Array.from({ length: 6 }, (_, i) => ({ payload: { what: `${i}` } })))
            )
            yield* until(Effect.sync(() => begun.length === 2))
            setTimeout(release, 50)
          })
        )
        expect(ended).toEqual(begun)
        expect(ended).toHaveLength(2)
      })
    )
  )

  check("two workers of one queue are an assembly problem", () =>
    run(
      Effect.gen(function* () {
        const Jobs = Queue.make("jobs", quick)
        const Other = Plugin.make("app:other", {
          contributes: [Jobs.worker(() => Effect.void)],
          requires: [Queue.Queues]
        })
        const Work = Plugin.make("app:work", {
          contributes: [Jobs.worker(() => Effect.void)],
          requires: [Queue.Queues]
        })
        const exit = yield* Effect.exit(TestApp.make(App.make("shop", [Queue.plugin, Other, Work])))
        expect(exit._tag === "Failure" && Cause.pretty(exit.cause)).toContain("has several workers")
      })
    )
  )

  check("a worker of another role is an assembly problem", () =>
    run(
      Effect.gen(function* () {
        const Jobs = Queue.make("jobs", quick)
        const Work = Plugin.make("app:work", {
          contributes: [
            Role.assign(
              Jobs.worker(() => Effect.void),
              "server"
            )
          ],
          requires: [Queue.Queues]
        })
        const exit = yield* Effect.exit(TestApp.make(App.make("shop", [Queue.plugin, Work])))
        expect(exit._tag === "Failure" && Cause.pretty(exit.cause)).toContain(
          'The queue "jobs" of "app:work" is assigned to "server", and only processes with the role "worker" carry it out: remove Role.assign, or add "worker".'
        )
      })
    )
  )

  const unfit: ReadonlyArray<readonly [string, () => unknown, string]> = [
    ["nothing", () => undefined, 'The handler of the queue "jobs" returned no Effect'],
    [
      "a promise",
      () => Promise.resolve(),
      'The handler of the queue "jobs" returned a promise, not an Effect'
    ],
    [
      "an effect that goes on with nothing",
      () => Effect.flatMap(Effect.yieldNow, () => undefined as unknown as Effect.Effect<void>),
      "Not a valid effect"
    ]
  ]

  it.each(unfit)(
    "a handler that returns %s is a defect of its attempts, and holds up no drain",
    (_, handler, message) =>
      run(
        Effect.gen(function* () {
          const Jobs = Queue.make("jobs", { ...quick, concurrency: 1, maxAttempts: 2 })
          // A program that no compiler has checked.
          const app = yield* boot(
            [Jobs.worker(handler as () => Effect.Effect<unknown>)],
            {},
            undefined,
            {
              drainTimeout: "1 hour"
            }
          )
          yield* app.run(
            Jobs.enqueueAll([
              { payload: { what: "x" }, id: "a" },
              { payload: { what: "y" }, id: "b" }
            ])
          )
          yield* until(app.run(isIn("dead", "jobs", "b")))
          yield* until(app.run(isIn("dead", "jobs", "a")))
          const found = yield* app.run(item("jobs", "a"))
          expect(found?.attempts).toBe(2)
          expect(Failure.decode(found!.failure!).message).toContain(message)
        })
      ),
    60_000
  )

  check("the log has as much of a failure as its dead letter", () =>
    run(
      Effect.gen(function* () {
        const Jobs = Queue.make("jobs", { ...quick, maxAttempts: 1 })
        const app = yield* boot([Jobs.worker(() => Effect.die("x".repeat(100_000)))])
        yield* app.run(Jobs.enqueue({ what: "x" }, { id: "a" }))
        yield* until(app.run(isIn("dead", "jobs", "a")))
        const { message } = Failure.decode((yield* app.run(item("jobs", "a")))!.failure!)
        expect(message).toHaveLength(8192)
        const line = app.logs.find(({ annotations }) => annotations["itemId"] === "a")
        expect(line?.message).toContain(message)
      })
    )
  )

  check("an error that JSON cannot have is left out of the dead letter", () =>
    run(
      Effect.gen(function* () {
        let deep: object = {}
        for (let i = 0; i < 100_000; i++) deep = { deep }
        const Jobs = Queue.make("jobs", { ...quick, error: Schema.Any, maxAttempts: 1 })
        const app = yield* boot([Jobs.worker(() => Effect.fail(deep))])
        yield* app.run(Jobs.enqueue({ what: "x" }, { id: "a" }))
        yield* until(app.run(isIn("dead", "jobs", "a")))
        expect(Failure.decode((yield* app.run(item("jobs", "a")))!.failure!)).not.toHaveProperty(
          "error"
        )
      })
    )
  )
}

describe("workers with the backend memory", () => suite("memory"))
backends.onEach([backends.postgres], "workers with the backend database", () => suite("database"))

backends.onEach([backends.postgres], "workers", () => {
  const boot = (worker: Queue.Worker<never>, url: string, values: object = {}) =>
    TestApp.make(
      App.make(
        "shop",
        [
          Database.plugin,
          Queue.withDatabase,
          Plugin.make("app:work", { contributes: [worker], requires: [Queue.Queues] })
        ],
        { config: { values: { database: { url }, ...values } } }
      )
    )

  it(
    "handlers that outlast the drain are interrupted, and their items and those claimed in advance wait again, uncounted",
    () =>
      run(
        Effect.gen(function* () {
          const url = yield* backends.postgres.fresh
          const Jobs = Queue.make("jobs", { ...quick, concurrency: 3 })
          let begun = 0
          const worker = Jobs.worker(() =>
            Effect.andThen(
              Effect.sync(() => begun++),
              Effect.never
            )
          )
          yield* Effect.scoped(
            Effect.gen(function* () {
              const app = yield* boot(worker, url, { app: { drainTimeout: "100 millis" } })
              yield* app.run(
                Jobs.enqueueAll(
                  Array.from({ length: 9 }, (_, i) => ({ id: `i${i}`, payload: { what: "x" } }))
                )
              )
              yield* until(Effect.sync(() => begun === 3))
            })
          )
          const sql = yield* backends.open(url)
          const rows =
            yield* sql`select state, attempts, count(*)::int as count from flange_queue_items group by 1, 2`
          expect(rows).toEqual([{ attempts: 0, count: 9, state: "waiting" }])
        })
      ),
    60_000
  )

  it(
    "an enqueue is committed or rolled back with the transaction of its caller",
    () =>
      run(
        Effect.gen(function* () {
          const url = yield* backends.postgres.fresh
          const Jobs = Queue.make("jobs", quick)
          const seen: Array<string> = []
          const app = yield* boot(
            Jobs.worker(({ what }) => Effect.sync(() => void seen.push(what))),
            url
          )
          const inTransaction = (what: string, end: Effect.Effect<void, string>) =>
            Effect.flatMap(SqlClient, (sql) =>
              sql.withTransaction(Effect.andThen(Jobs.enqueue({ what }, { id: what }), end))
            )
          yield* Effect.exit(app.run(inTransaction("rolled back", Effect.fail("no"))))
          yield* app.run(inTransaction("committed", Effect.void))
          yield* until(Effect.sync(() => seen.length > 0))
          expect(seen).toEqual(["committed"])
          expect(yield* app.run(item("jobs", "rolled back"))).toBeUndefined()
        })
      ),
    60_000
  )
})
