import { randomUUID } from "node:crypto"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Redis, SharedRedis } from "flange/Redis"
import { describe, expect, it } from "vitest"
import { MemoryStore } from "../../../src/Layers/Queue/MemoryStore.ts"
import { countOf } from "../../../src/Layers/Queue/QueueStore.ts"
import * as RedisStore from "../../../src/Layers/Queue/RedisStore.ts"
import * as SqlRows from "../../../src/Layers/Queue/SqlRows.ts"
import * as SqlStore from "../../../src/Layers/Queue/SqlStore.ts"
import { connect } from "../../../src/Layers/Redis/Connect.ts"
import * as backends from "../Database/backends.ts"
import { until } from "../Idempotency/conformance.ts"
import { describeRedis, redisServer, settings } from "../Redis/server.ts"
import { conformance, offer } from "./conformance.ts"

describe("a store in memory", () =>
  conformance({
    open: Effect.sync(() => {
      const store = new MemoryStore()
      return [store, store] as const
    })
  }))

describeRedis("a store in Redis", () =>
  conformance({
    open: Effect.gen(function* () {
      const { url } = yield* redisServer()
      const prefix = randomUUID()
      const client = Effect.map(connect(settings({ prefix: "shop", url })), (context) =>
        RedisStore.make(
          { redis: Context.get(context, Redis), shared: Context.get(context, SharedRedis) },
          prefix
        )
      )
      return [yield* client, yield* client] as const
    })
  })
)

backends.onEach([backends.pglite, backends.postgres], "a store in a database", (backend) =>
  conformance({
    open: Effect.gen(function* () {
      const url = yield* backend.fresh
      const client = Effect.map(backends.open(url), (sql) => SqlStore.make(sql, 20))
      const one = yield* client
      // PGlite has one process.
      const two = backend.kind === "pglite" ? one : yield* client
      // Replicas start at the same time.
      yield* Effect.all([one.createTables, two.createTables], { concurrency: "unbounded" })
      yield* two.createTables
      yield* one.start
      if (two !== one) yield* two.start
      return [one, two] as const
    })
  })
)

backends.onEach(
  [backends.pglite, backends.postgres],
  "a claim that fails in a database",
  (backend) => {
    it("leaves the items that it has made dead to the next claim", () =>
      Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const sql = yield* backends.open(yield* backend.fresh)
            const store = SqlStore.make(sql, 1)
            yield* store.createTables
            yield* store.offer("q", [offer("a")])
            const options = { endsLeases: true, lease: 1, limit: 1, maxAttempts: 1 }
            yield* store.claim("q", { ...options, token: "first" })
            const dead = Effect.map(store.get("q", "a"), (item) => item?.state === "dead")
            // The server refuses such a limit after the statement that ends leases.
            const failing = store.claim("q", { ...options, limit: Number.NaN, token: "failing" })
            yield* until(Effect.andThen(Effect.flip(failing), dead))
            expect((yield* store.claim("q", { ...options, token: "next" })).dead).toEqual([
              { attempts: 1, id: "a" }
            ])
            expect((yield* store.claim("q", { ...options, token: "last" })).dead).toEqual([])
          })
        )
      ))
  }
)

backends.onEach([backends.postgres], "batches with the same ids in a database", (backend) => {
  it("are added once if they have them in another order", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const url = yield* backend.fresh
          const sql = yield* backends.open(url)
          const store = SqlStore.make(sql)
          yield* store.createTables
          // The server looks for a deadlock in the batch outside of a transaction, late enough for a slow machine.
          yield* sql.unsafe(
            "do $$ begin execute format('alter database %I set deadlock_timeout = ''3s''', current_database()); end $$"
          ).unprepared
          const other = SqlStore.make(yield* backends.open(url))
          const waits = sql`select 1 from pg_stat_activity where datname = current_database() and wait_event = 'transactionid'`
          let waiting: Fiber.Fiber<ReadonlyArray<boolean>, unknown> | undefined
          const first = yield* sql.withTransaction(
            Effect.gen(function* () {
              yield* sql`set local deadlock_timeout = '1min'`
              const added = [...(yield* store.offer("q", [offer("b")]))]
              waiting = yield* Effect.forkDetach(
                other.offer("q", [offer("a"), offer("b"), offer("c")])
              )
              yield* until(Effect.map(waits, ({ length }) => length > 0))
              // Each has a row that the other waits for.
              return [...added, ...(yield* store.offer("q", [offer("a")]))]
            })
          )
          expect(first).toEqual([true, true])
          expect(yield* Fiber.join(waiting!)).toEqual([false, false, true])
        })
      )
    ))
})

backends.onEach([backends.pglite, backends.postgres], "counting in a database", (backend) => {
  it("ends at the most items of a state, and is exact up to them", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const sql = yield* backends.open(yield* backend.fresh)
          const store = SqlStore.make(sql)
          yield* store.createTables
          const waiting = ["a", "b", "c", "d"].map((id) => offer(id))
          const delayed = ["e", "f", "g"].map((id) => offer(id, { delay: 60_000 }))
          yield* store.offer("q", [...waiting, ...delayed])
          const stats = yield* SqlRows.reading(sql, 3).stats("q")
          expect(stats).toMatchObject({ capped: ["waiting"], delayed: 3, waiting: 3 })
          expect(countOf(stats, "waiting")).toBe("3+")
          expect(countOf(stats, "delayed")).toBe("3")
        })
      )
    ))
})
