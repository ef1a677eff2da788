import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { SqlClient } from "effect/sql/SqlClient"
import { App, Plugin } from "flange"
import * as Database from "flange/Database"
import * as Queue from "flange/Queue"
import * as Redis from "flange/Redis"
import { TestApp } from "flange/Testing"
import { describe, expect, it } from "vitest"
import * as backends from "../Database/backends.ts"
import { proxyTo } from "../Database/proxy.ts"
import { until } from "../Idempotency/conformance.ts"
import { describeRedis, redisServer } from "../Redis/server.ts"

const run = (test: Effect.Effect<void, unknown, Scope.Scope>) =>
  Effect.runPromise(Effect.scoped(test))

const Jobs = Queue.make("jobs", { payload: Schema.String, retry: Schedule.spaced("1 millis") })

/** Returns a plugin whose handler of "wait" ends when it is told to, and what its handlers have done. */
const works = () => {
  const seen: Array<string> = []
  let open = () => {}
  const gate = new Promise<void>((resolve) => (open = resolve))
  const Work = Plugin.make("app:work", {
    contributes: [
      Jobs.worker((what, { attempts }) =>
        Effect.gen(function* () {
          seen.push(`begin ${what} ${attempts}`)
          if (what === "wait") yield* Effect.promise(() => gate)
          seen.push(`end ${what} ${attempts}`)
        }).pipe(
          Effect.onInterrupt(() => Effect.sync(() => seen.push(`interrupted ${what} ${attempts}`)))
        )
      )
    ],
    requires: [Queue.Queues]
  })
  return { Work, open: () => open(), seen }
}

const queue = { lease: "1 second", pollInterval: "20 millis" }

const onRedis = (url: string) => ({
  config: { values: { queue, redis: { commandTimeout: "300 millis", url } } }
})

const state = (id: string) =>
  Effect.flatMap(Queue.QueueStore, (store) =>
    Effect.map(store.get("jobs", id), (found) => found?.state)
  )

/** An outage of a store that is longer than the lease of a handler that runs. */
const outage = (
  boot: (work: ReturnType<typeof works>["Work"]) => Effect.Effect<
    {
      readonly down: Effect.Effect<void>
      readonly run: <A, E>(
        effect: Effect.Effect<A, E, Queue.Queues | Queue.QueueStore>
      ) => Effect.Effect<A, unknown>
      readonly up: Effect.Effect<void>
    },
    unknown,
    Scope.Scope
  >
) =>
  run(
    Effect.gen(function* () {
      const { Work, open, seen } = works()
      const app = yield* boot(Work)
      yield* app.run(Jobs.enqueue("wait", { id: "a" }))
      yield* until(Effect.sync(() => seen.length === 1))
      yield* app.down
      expect(yield* Effect.flip(app.run(Jobs.enqueue("lost", { id: "b" })))).toMatchObject({
        _tag: "QueueStoreError"
      })
      yield* Effect.sleep(2000)
      yield* app.up
      const isBack = Effect.map(
        Effect.exit(app.run(Jobs.enqueue("more", { id: "c" }))),
        (exit) => exit._tag === "Success"
      )
      yield* until(isBack)
      yield* until(Effect.map(app.run(state("c")), (found) => found === "completed"))
      open()
      yield* until(Effect.map(app.run(state("a")), (found) => found === "completed"))
      const count = (word: string) => seen.filter((text) => text.startsWith(`${word} wait`)).length
      // A run that is begun again replaces the one before: the two never run at once.
      expect(count("begin") - count("interrupted")).toBe(1)
      expect(count("end")).toBe(1)
      // A frozen server may add it when it goes on, and claims without an answer count no attempt.
      expect(seen.filter((text) => text.startsWith("begin lost"))).toEqual(
        seen.includes("begin lost 1") ? ["begin lost 1"] : []
      )
    })
  )

backends.onEach([backends.postgres], "workers during an outage", (backend) => {
  const values = (url: string) => ({
    config: { values: { database: { acquireTimeout: "500 millis", url }, queue } }
  })

  it(
    "a handler that outlasts a closed database is run once, and later items are handled",
    () =>
      outage((Work) =>
        Effect.gen(function* () {
          const { down, up, url } = yield* proxyTo(yield* backend.fresh)
          const app = yield* TestApp.make(
            App.make("shop", [Database.plugin, Queue.withDatabase, Work], values(url))
          )
          return { down, run: app.run, up }
        })
      ),
    60_000
  )

  it(
    "items are handled after the database has ended all connections",
    () =>
      run(
        Effect.gen(function* () {
          const { Work, seen } = works()
          const url = yield* backend.fresh
          const app = yield* TestApp.make(
            App.make("shop", [Database.plugin, Queue.withDatabase, Work], values(url))
          )
          yield* app.run(Jobs.enqueue("one", { id: "one" }))
          yield* until(Effect.sync(() => seen.includes("end one 1")))
          const sql = yield* backends.open(url)
          yield* sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`
          const enqueue = Effect.exit(app.run(Jobs.enqueue("two", { id: "two" })))
          yield* until(Effect.map(enqueue, ({ _tag }) => _tag === "Success"))
          yield* until(Effect.sync(() => seen.some((text) => text.startsWith("end two"))))
        })
      ),
    60_000
  )
})

describeRedis("workers during an outage of Redis", () => {
  it(
    "a handler that outlasts a frozen server is run once, and later items are handled",
    () =>
      outage((Work) =>
        Effect.gen(function* () {
          const server = yield* redisServer()
          const app = yield* TestApp.make(
            App.make("shop", [Queue.withRedis, Redis.plugin, Work], onRedis(server.url))
          )
          return { down: server.freeze, run: app.run, up: server.thaw }
        })
      ),
    60_000
  )
})

describeRedis("a claim whose answer comes too late", () => {
  it("makes no item dead that no handler got", () => {
    const Once = Queue.make("once", { maxAttempts: 1, payload: Schema.Int })
    const seen: Array<number> = []
    const Work = Plugin.make("app:once", {
      contributes: [Once.worker((n) => Effect.sync(() => void seen.push(n)))]
    })
    return run(
      Effect.gen(function* () {
        const server = yield* redisServer()
        const app = yield* TestApp.make(
          App.make("shop", [Queue.withRedis, Redis.plugin, Work], onRedis(server.url))
        )
        // Claims of instant handlers are for many items.
        yield* app.run(Once.enqueue(0))
        yield* until(Effect.sync(() => seen.length === 1))
        const items = Array.from(
          { length: 10 },
          (_, i) => ({ delay: "1 second", payload: i + 1 }) as const
        )
        yield* app.run(Once.enqueueAll(items))
        yield* server.freeze
        yield* Effect.sleep(2000)
        yield* server.thaw
        yield* until(Effect.sync(() => seen.length === 11))
        const counts = app.run(Effect.flatMap(Queue.QueueStore, (store) => store.stats("once")))
        expect((yield* counts).dead).toBe(0)
      })
    )
  }, 60_000)
})

describe("an enqueue in a savepoint", () => {
  const boot = (work: ReturnType<typeof works>["Work"], isOwn: boolean, url: string) =>
    isOwn
      ? TestApp.make(
          App.make("shop", [Database.plugin, Queue.withDatabase, work], {
            config: { values: { database: { url } } }
          })
        )
      : TestApp.make(
          App.make("shop", [Database.plugin, Queue.plugin, work], {
            config: { values: { database: { url } } }
          })
        )

  it.each([true, false])(
    "is rolled back with it, and what was enqueued around it is kept (store of the transaction: %s)",
    (isOwn) =>
      run(
        Effect.gen(function* () {
          const { Work, seen } = works()
          const app = yield* boot(Work, isOwn, "pglite://memory")
          yield* app.run(
            Effect.flatMap(SqlClient, (sql) =>
              sql.withTransaction(
                Effect.gen(function* () {
                  yield* Jobs.enqueue("before")
                  yield* Effect.exit(
                    sql.withTransaction(
                      Effect.andThen(Jobs.enqueue("inside"), Effect.fail("rolled back"))
                    )
                  )
                  yield* sql.withTransaction(Jobs.enqueue("kept"))
                  yield* Jobs.enqueue("after")
                })
              )
            )
          )
          yield* until(
            Effect.sync(() => seen.filter((text) => text.startsWith("end")).length === 3)
          )
          yield* app.run(Jobs.enqueue("last"))
          yield* until(Effect.sync(() => seen.includes("end last 1")))
          expect(seen).not.toContain("begin inside 1")
        })
      ),
    60_000
  )
})
