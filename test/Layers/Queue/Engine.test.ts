import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PersistedQueue from "effect/persistence/PersistedQueue"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as DurableQueue from "effect/workflow/DurableQueue"
import * as Workflow from "effect/workflow/Workflow"
import * as WorkflowEngine from "effect/workflow/WorkflowEngine"
import { App, Plugin } from "flange"
import * as Database from "flange/Database"
import * as Queue from "flange/Queue"
import { TestApp } from "flange/Testing"
import { describe, expect, it } from "vitest"
import { until } from "../Idempotency/conformance.ts"

const app = App.make("shop", [Database.plugin, Queue.withDatabase], {
  config: { values: { queue: { pollInterval: "20 millis" } } }
})

describe("the engine on PGlite", () => {
  it("PersistedQueue takes, retries and removes duplicates", async () => {
    const test = Effect.gen(function* () {
      const shop = yield* TestApp.make(app)
      return yield* shop.run(
        Effect.gen(function* () {
          const queue = yield* PersistedQueue.make({
            name: "plain",
            retrySchedule: Schedule.spaced("1 millis"),
            schema: Schema.Struct({ at: Schema.Date })
          })
          const at = new Date(5)
          yield* queue.offer({ at }, { id: "a" })
          yield* queue.offer({ at }, { id: "a" })
          const first = yield* Effect.exit(queue.take(() => Effect.fail("no")))
          const taken = yield* queue.take((value, about) => Effect.succeed([value, about] as const))
          const { completed, waiting } = yield* Effect.flatMap(Queue.QueueStore, (store) =>
            store.stats("plain")
          )
          return { completed, isFailure: first._tag === "Failure", taken, waiting }
        })
      )
    })
    expect(await Effect.runPromise(Effect.scoped(test))).toEqual({
      completed: 1,
      isFailure: true,
      taken: [{ at: new Date(5) }, { attempts: 2, id: "a" }],
      waiting: 0
    })
  }, 60_000)

  it("refuses a take in a transaction, and takes after it", async () => {
    const test = Effect.gen(function* () {
      const shop = yield* TestApp.make(app)
      return yield* shop.run(
        Effect.gen(function* () {
          const sql = yield* SqlClient
          const queue = yield* PersistedQueue.make({ name: "apart", schema: Schema.String })
          yield* queue.offer("a")
          const error = yield* Effect.flip(sql.withTransaction(queue.take(Effect.succeed)))
          return [String(error), yield* queue.take(Effect.succeed)]
        })
      )
    })
    expect(await Effect.runPromise(Effect.scoped(test))).toEqual([
      expect.stringContaining('"apart" cannot be taken in a transaction'),
      "a"
    ])
  }, 60_000)

  it("DurableQueue of a workflow runs on the same store", async () => {
    const Work = DurableQueue.make({
      idempotencyKey: ({ n }: { readonly n: number }) => String(n),
      name: "double",
      payload: { n: Schema.Number },
      success: Schema.Number
    })
    const Flow = Workflow.make("flow", {
      idempotencyKey: ({ n }) => String(n),
      payload: { n: Schema.Number },
      success: Schema.Number
    })
    const test = Effect.gen(function* () {
      const shop = yield* TestApp.make(app)
      const factory = yield* shop.run(PersistedQueue.PersistedQueueFactory)
      const layer = Layer.mergeAll(
        Flow.toLayer(({ n }) => DurableQueue.process(Work, { n })),
        DurableQueue.worker(Work, ({ n }) => Effect.succeed(n * 2))
      ).pipe(
        Layer.provideMerge(WorkflowEngine.layerMemory),
        Layer.provide(Layer.succeed(PersistedQueue.PersistedQueueFactory, factory))
      )
      return yield* Effect.provide(Flow.execute({ n: 21 }), layer)
    })
    expect(await Effect.runPromise(Effect.scoped(test))).toBe(42)
  }, 60_000)
})

describe("a store that is not that of the transaction", () => {
  const seen: Array<string> = []
  const Jobs = Queue.make("jobs", { payload: Schema.String })
  const Work = Plugin.make("app:work", {
    contributes: [Jobs.worker((what) => Effect.sync(() => void seen.push(what)))],
    requires: [Queue.Queues]
  })

  it("gets the items after the commit, and not after a rollback", async () => {
    const test = Effect.gen(function* () {
      const shop = yield* TestApp.make(App.make("shop", [Database.plugin, Queue.plugin, Work]))
      const inTransaction = (what: string, end: Effect.Effect<void, string>) =>
        Effect.flatMap(SqlClient, (sql) =>
          sql.withTransaction(
            Effect.gen(function* () {
              const enqueued = yield* Jobs.enqueue(what)
              yield* Effect.sleep(50)
              expect(seen).toEqual([])
              yield* end
              return enqueued
            })
          )
        )
      yield* Effect.exit(shop.run(inTransaction("rolled back", Effect.fail("no"))))
      const { isNew } = yield* shop.run(inTransaction("committed", Effect.void))
      expect(isNew).toBeUndefined()
      yield* until(Effect.sync(() => seen.length > 0))
      expect(seen).toEqual(["committed"])
    })
    await Effect.runPromise(Effect.scoped(test))
  }, 60_000)
})

describe("rateLimit", () => {
  it("begins no more items than its limit in its time", async () => {
    const times: Array<number> = []
    const Jobs = Queue.make("jobs", {
      payload: Schema.Number,
      rateLimit: { limit: 2, per: Duration.millis(100) }
    })
    const Work = Plugin.make("app:work", {
      contributes: [Jobs.worker(() => Effect.sync(() => void times.push(performance.now())))],
      requires: [Queue.Queues]
    })
    const test = Effect.gen(function* () {
      const shop = yield* TestApp.make(App.make("shop", [Queue.plugin, Work]))
      yield* shop.run(Jobs.enqueueAll(Array.from({ length: 7 }, (_, payload) => ({ payload }))))
      yield* until(Effect.sync(() => times.length === 7))
    })
    await Effect.runPromise(Effect.scoped(test))
    // Timers may be a little early; the items of three waits are never at once.
    expect(times[6]! - times[0]!).toBeGreaterThan(250)
  }, 60_000)
})
