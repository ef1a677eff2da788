import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import { ConnectionError, SqlError } from "effect/sql/SqlError"
import * as TestClock from "effect/testing/TestClock"
import { Redis, SharedRedis } from "flange/Redis"
import { describe } from "vitest"
import { MemoryLog } from "../../../src/Layers/Realtime/EventLogMemory.ts"
import * as EventLogRedis from "../../../src/Layers/Realtime/EventLogRedis.ts"
import * as EventLogSql from "../../../src/Layers/Realtime/EventLogSql.ts"
import { connect } from "../../../src/Layers/Redis/Connect.ts"
import * as backends from "../Database/backends.ts"
import { until } from "../Idempotency/conformance.ts"
import { describeRedis, redisServer, settings } from "../Redis/server.ts"
import { bounds, logConformance } from "./logConformance.ts"

describe("a log in memory", () => {
  logConformance({
    open: Effect.sync(() => {
      const log = new MemoryLog(bounds, 2 ** 20)
      return [log, log] as const
    })
  })

  it.effect("drops the oldest events of the oldest topics above its bytes", () =>
    Effect.gen(function* () {
      const log = new MemoryLog({ ...bounds, maxEvents: 1000 }, 10_000)
      const text = JSON.stringify("x".repeat(1000))
      for (const topic of ["a", "a", "a", "b", "b", "b"]) yield* log.append(topic, "made", text)
      expect(log.bytes).toBeLessThanOrEqual(10_000)
      expect((yield* log.page("a", 0, 10)).first).toBe(3)
      expect((yield* log.page("b", 0, 10)).entries.length).toBe(3)
    })
  )
})

/** Returns the part of a key by which Redis chooses its node in a cluster. */
const tagOf = (key: string): string => {
  const start = key.indexOf("{")
  const end = key.indexOf("}", start + 1)
  return start < 0 || end <= start + 1 ? key : key.slice(start + 1, end)
}

describe("the keys of a topic in Redis", () => {
  const topics = ["", "a", "}", "}}", "}a", "{", "{}", "{}a", "{a}", "a}b", "a{}b", "}a{b}", ":}"]
  it.effect.each(topics)("have one hash tag, and no other topic has them: %j", (topic) =>
    Effect.gen(function* () {
      const keys: Array<ReadonlyArray<unknown>> = []
      const log = EventLogRedis.make(
        {
          eval:
            ({ numberOfKeys, params }) =>
            (...given) => {
              keys.push(params(...given).slice(0, numberOfKeys(...given)))
              return Effect.succeed([] as never)
            },
          reserve: Effect.never,
          send: () => Effect.never,
          subscribe: () => Effect.never
        } as Redis["Service"],
        { prefix: "shop:", subscribe: () => Effect.never },
        bounds
      )
      yield* log.append(topic, "made", "1")
      yield* log.page(topic, 0, 10)
      const [[stream, head], read] = keys as [[string, string], unknown]
      expect(read).toEqual([stream, head])
      expect(tagOf(head)).toBe(tagOf(stream))
      expect(tagOf(stream)).not.toBe(stream)
      expect(stream).toBe(`shop:events:{:${topic}}`)
    })
  )
})

const redis = () =>
  Effect.gen(function* () {
    const { url } = yield* redisServer()
    const client = Effect.map(connect(settings({ prefix: "shop", url })), (context) =>
      EventLogRedis.make(Context.get(context, Redis), Context.get(context, SharedRedis), bounds)
    )
    return [yield* client, yield* client] as const
  })

describeRedis("a log in Redis", () => {
  logConformance({ open: redis() })

  it.live("drops events for their age", () =>
    Effect.gen(function* () {
      const { url } = yield* redisServer()
      const context = yield* connect(settings({ prefix: "shop", url }))
      const client = Context.get(context, Redis)
      const log = EventLogRedis.make(client, Context.get(context, SharedRedis), bounds)
      yield* log.append("t", "made", "1")
      // An event of 1970.
      yield* client.send("DEL", "shop:events:{:t}")
      yield* client.send("XADD", "shop:events:{:t}", "1-0", "e", "made", "d", "1", "t", "0")
      expect((yield* log.page("t", 0, 10)).first).toBe(1)
      yield* log.append("t", "made", "2")
      const { entries, first, last } = yield* log.page("t", 0, 10)
      expect({ entries, first, last }).toEqual({
        entries: [{ data: "2", event: "made", sequence: 2 }],
        first: 2,
        last: 2
      })
    })
  )
})

const database = (backend: backends.Backend, values = bounds) =>
  Effect.gen(function* () {
    const url = yield* backend.fresh
    const client = Effect.map(backends.open(url), (sql) => ({
      log: EventLogSql.make(sql, values, 20),
      sql
    }))
    const one = yield* client
    // PGlite has one process.
    const two = backend.kind === "pglite" ? one : yield* client
    // Replicas start at the same time.
    yield* Effect.all([one.log.createTables, two.log.createTables], { concurrency: "unbounded" })
    yield* one.log.start
    yield* two.log.start
    return [one, two] as const
  })

backends.onEach(backends.all, "a log in a database", (backend) => {
  logConformance({
    open: Effect.map(database(backend), ([one, two]) => [one.log, two.log] as const)
  })

  it.live("an event is there after the commit of its transaction, and not after a rollback", () =>
    Effect.gen(function* () {
      const [{ log, sql }, other] = yield* database(backend)
      const rolledBack = sql.withTransaction(
        Effect.andThen(log.append("t", "made", "1"), Effect.fail("no" as const))
      )
      expect(yield* Effect.flip(rolledBack)).toBe("no")
      expect((yield* other.log.page("t", 0, 10)).last).toBe(0)
      const at = yield* sql.withTransaction(
        Effect.gen(function* () {
          const at = yield* log.append("t", "made", "2")
          if (backend.kind !== "pglite") {
            expect((yield* other.log.page("t", 0, 10)).last).toBe(0)
          }
          return at
        })
      )
      expect(at.sequence).toBe(1)
      expect((yield* other.log.page("t", 0, 10)).entries).toEqual([
        { data: "2", event: "made", sequence: 1 }
      ])
    })
  )

  if (backend.kind === "pg") {
    it.effect("is asked for events at once when its connection that listens is lost", () =>
      Effect.gen(function* () {
        const url = yield* backend.fresh
        const other = EventLogSql.make(yield* backends.open(url), bounds, 20)
        const broken = new SqlError({ reason: new ConnectionError({ cause: "broken" }) })
        const queue = yield* Queue.unbounded<never, SqlError>()
        let isBroken = false
        const listen = () =>
          Effect.suspend(() => (isBroken ? Effect.fail(broken) : Effect.succeed(queue)))
        const log = EventLogSql.make(
          Object.assign(yield* backends.open(url), { listen }),
          bounds,
          20
        )
        yield* log.createTables
        let wakes = 0
        yield* log.watch("t", () => wakes++)
        yield* log.start
        yield* until(Effect.sync(() => wakes === 1))
        yield* other.append("t", "made", "1")
        yield* TestClock.adjust("10 seconds")
        yield* until(Effect.sync(() => wakes === 2))
        // The process listens, so it is patient from here on.
        yield* other.append("t", "made", "2")
        isBroken = true
        yield* Queue.fail(queue, broken)
        yield* until(Effect.sync(() => wakes === 3))
      })
    )
  }

  if (backend.kind === "pglite") {
    console.warn("An append that waits is skipped on PGlite: it has one connection")
  }
  it.live.skipIf(backend.kind === "pglite")(
    "an append waits for one of the same topic that is not committed, so no reader passes it",
    () =>
      Effect.gen(function* () {
        const [one, two] = yield* database(backend)
        const isAppended = Deferred.makeUnsafe<void>()
        const commit = Deferred.makeUnsafe<void>()
        const slow = yield* Effect.forkChild(
          one.sql.withTransaction(
            Effect.gen(function* () {
              const at = yield* one.log.append("t", "made", '"slow"')
              Deferred.doneUnsafe(isAppended, Effect.void)
              yield* Deferred.await(commit)
              return at
            })
          )
        )
        yield* Deferred.await(isAppended)
        const fast = yield* Effect.forkChild(two.log.append("t", "made", '"fast"'))
        // Another topic does not wait.
        yield* two.log.append("other", "made", "1")
        expect(fast.pollUnsafe()).toBeUndefined()
        expect((yield* two.log.page("t", 0, 10)).entries).toEqual([])
        Deferred.doneUnsafe(commit, Effect.void)
        expect((yield* Fiber.join(slow)).sequence).toBe(1)
        expect((yield* Fiber.join(fast)).sequence).toBe(2)
        const { entries } = yield* two.log.page("t", 0, 10)
        expect(entries.map(({ data }) => data)).toEqual(['"slow"', '"fast"'])
      })
  )

  it.live("old events are removed in the background", () =>
    Effect.gen(function* () {
      const [{ log }] = yield* database(backend, { maxAge: 1, maxEvents: 100 })
      const first = yield* log.append("t", "made", "1")
      yield* Effect.sleep(10)
      expect(yield* log.prune).toBe(false)
      expect(yield* log.page("t", 0, 10)).toEqual({
        entries: [],
        first: 2,
        generation: first.generation,
        last: 1
      })
    })
  )
})
