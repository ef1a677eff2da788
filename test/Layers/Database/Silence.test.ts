// A server that falls silent: its connections stay open, and nothing arrives.
import { readFileSync } from "node:fs"
import { platform } from "node:os"
import type { PgClient } from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Stream from "effect/Stream"
import { expect, it } from "vitest"
import * as Silence from "../../../src/Layers/Database/Silence.ts"
import { type Backend, mysql, onEach, open, postgres, settings } from "./backends.ts"
import * as Proxy from "./drills/Proxy.ts"

const limit = "300ms"

/** A client with one connection through a proxy, and a table with a counter. */
const rig = (backend: Backend, values: object = {}) =>
  Effect.gen(function* () {
    const url = yield* backend.fresh
    const direct = yield* open(url)
    yield* direct`create table counters (id integer primary key, n integer not null)`
    yield* direct`insert into counters values (1, 0)`
    const proxy = yield* Proxy.make(url)
    const sql = yield* open(proxy.url, { maxConnections: 1, statementTimeout: limit, ...values })
    const id = Effect.map(
      sql.unsafe<{ id: number }>(
        `select ${backend.kind === "mysql" ? "connection_id()" : "pg_backend_pid()"} as id`
      ),
      ([row]) => row!.id
    )
    return { direct, id, proxy, sql }
  })

const expectSilence = (error: SqlError) => {
  expect(error.reason._tag).toBe("ConnectionError")
  expect(error.reason.isRetryable).toBe(true)
  expect(error.message).toContain("sent nothing for 1s 300ms")
  expect(error.message).toContain("database.statementTimeout is 300ms")
}

const bump = (sql: SqlClient) => sql`update counters set n = n + 1 where id = 1`

it("0, Infinity and more than a timer can count are no limit", () => {
  const of = (text: string) =>
    Silence.limitOf(settings({ statementTimeout: text, url: "mysql://a@b/c" }).statementTimeout)
  expect(["0ms", "Infinity", "25d"].map(of)).toEqual([undefined, undefined, undefined])
  expect(["0.5ms", "30s", "24d"].map(of)).toEqual([1, 30_000, 2_073_600_000])
})

onEach([postgres, mysql], "A silent server", (backend) => {
  const check = (title: string, test: () => Effect.Effect<unknown, unknown, Scope.Scope>) =>
    it.concurrent(title, () => Effect.runPromise(Effect.scoped(Effect.suspend(test))))

  const n = (sql: SqlClient) =>
    Effect.map(sql<{ n: number }>`select n from counters`, ([row]) => row?.n)

  /** The only connection is another one, and answers its own queries. */
  const expectReplaced = (sql: SqlClient, before: number, id: Effect.Effect<number, SqlError>) =>
    Effect.gen(function* () {
      expect(yield* id).not.toBe(before)
      expect(yield* sql`select 1 as one`).toEqual([{ one: 1 }])
      yield* sql.withTransaction(sql`update counters set n = 5 where id = 1`)
      expect(yield* n(sql)).toBe(5)
    })

  check("between two statements of a transaction fails the second one", () =>
    Effect.gen(function* () {
      const { id, proxy, sql } = yield* rig(backend)
      const before = yield* id
      const error = yield* Effect.flip(
        sql.withTransaction(
          Effect.andThen(bump(sql), Effect.andThen(proxy.freeze, sql`select 'late' as answer`))
        )
      )
      expectSilence(error)
      yield* proxy.restore
      expect(yield* n(sql)).toBe(0)
      yield* expectReplaced(sql, before, id)
    })
  )

  check("in the middle of a statement, and its late answer, reach no other statement", () =>
    Effect.gen(function* () {
      const { direct, id, proxy, sql } = yield* rig(backend)
      const before = yield* id
      const sleep = backend.kind === "mysql" ? "sleep(0.2)" : "pg_sleep(0.2)"
      const statement = sql.unsafe(`select ${sleep}, 'late' as answer`)
      const running = yield* Effect.forkChild(Effect.flip(statement))
      yield* Effect.repeat(
        backend.kind === "mysql"
          ? direct`select id from information_schema.processlist where id = ${before} and command <> 'Sleep'`
          : direct`select pid from pg_stat_activity where pid = ${before} and state = 'active'`,
        { until: (rows) => rows.length === 1 }
      )
      yield* proxy.freeze
      const next = yield* Effect.forkChild(sql`select 'next' as answer`)
      expectSilence(yield* Fiber.join(running))
      yield* proxy.restore
      expect(yield* Fiber.join(next)).toEqual([{ answer: "next" }])
      yield* expectReplaced(sql, before, id)
    })
  )

  check("at the beginning of a transaction fails it", () =>
    Effect.gen(function* () {
      const { id, proxy, sql } = yield* rig(backend)
      const before = yield* id
      yield* proxy.freeze
      expectSilence(yield* Effect.flip(sql.withTransaction(bump(sql))))
      yield* proxy.restore
      yield* expectReplaced(sql, before, id)
    })
  )

  for (const [what, outcome] of [
    ["commit", Effect.void],
    ["rollback", Effect.fail("no")]
  ] as const) {
    check(`at the ${what} ends the transaction`, () =>
      Effect.gen(function* () {
        const { id, proxy, sql } = yield* rig(backend)
        const before = yield* id
        const error = yield* Effect.flip(
          sql.withTransaction(Effect.andThen(bump(sql), Effect.andThen(proxy.freeze, outcome)))
        )
        if (typeof error === "string") expect(error).toBe("no")
        else expectSilence(error)
        expect(typeof error).toBe(what === "commit" ? "object" : "string")
        yield* proxy.restore
        // The commit may arrive after all. A rollback leaves nothing in any case.
        if (what === "rollback") expect(yield* n(sql)).toBe(0)
        yield* expectReplaced(sql, before, id)
      })
    )
  }

  check("within a stream fails it, and a stream that moves or waits for its reader goes on", () =>
    Effect.gen(function* () {
      const { id, proxy, sql } = yield* rig(backend)
      const before = yield* id
      const rows =
        backend.kind === "mysql"
          ? sql.unsafe("select seq as n, repeat('x', 2000) as text from seq_1_to_20000").stream
          : sql`select n, repeat('x', 2000) as text from generate_series(1, 20000) n`.stream
      let seen = 0
      const slow = Stream.runForEach(rows, () =>
        // Two pauses, each longer than the limit, with megabytes still to come.
        ++seen === 1 || seen === 5000 ? Effect.sleep("1700 millis") : Effect.void
      )
      yield* slow
      expect(seen).toBe(20_000)
      // Only the stream was without the limit of the server.
      const limited = yield* Effect.flip(
        backend.kind === "mysql"
          ? sql`select count(*) from information_schema.columns a, information_schema.columns b, information_schema.columns c`
          : sql`select pg_sleep(30)`
      )
      expect(limited.reason._tag).toBe("StatementTimeoutError")
      expect(yield* id).toBe(before)
      seen = 0
      const error = yield* Effect.flip(
        Stream.runForEach(rows, () => (++seen === 10 ? proxy.freeze : Effect.void))
      )
      expectSilence(error)
      expect(seen).toBeLessThan(20_000)
      yield* proxy.restore
      yield* expectReplaced(sql, before, id)
    })
  )

  check("whose connection breaks within a stream fails it", () =>
    Effect.gen(function* () {
      const { proxy, sql } = yield* rig(backend)
      const rows = sql`select c.* from counters c, information_schema.columns a, information_schema.columns b`
      const error = yield* Effect.flip(Stream.runForEach(rows.stream, () => proxy.cut))
      expect(error.reason._tag).toBe("ConnectionError")
    })
  )

  check("that only takes long is told to stop", () =>
    Effect.gen(function* () {
      const { direct, id, sql } = yield* rig(backend)
      const [unlimited, sleep] =
        backend.kind === "mysql"
          ? ["set session max_statement_time = 0", "select sleep(60)"]
          : ["set statement_timeout = 0", "select pg_sleep(60)"]
      let before = 0
      const error = yield* Effect.flip(
        sql.withTransaction(
          Effect.gen(function* () {
            before = yield* id
            yield* sql.unsafe(unlimited)
            yield* sql.unsafe(sleep)
          })
        )
      )
      expectSilence(error)
      yield* Effect.repeat(
        backend.kind === "mysql"
          ? direct`select id from information_schema.processlist where id = ${before}`
          : direct`select pid from pg_stat_activity where pid = ${before}`,
        { until: (rows) => rows.length === 0 }
      )
    })
  )

  check("that stays silent does not keep the pool from failing in time", () =>
    Effect.gen(function* () {
      const { proxy, sql } = yield* rig(backend, { acquireTimeout: "500ms" })
      yield* proxy.freeze
      for (let round = 0; round < 3; round++) {
        const error = yield* Effect.flip(sql`select 1`)
        expect(error.reason._tag).toBe("ConnectionError")
      }
      yield* proxy.restore
      expect(
        yield* Effect.repeat(Effect.exit(sql`select 1 as one`), { until: Exit.isSuccess })
      ).toEqual(Exit.succeed([{ one: 1 }]))
    })
  )

  check("that stalls while a connection opens is given up, without a statementTimeout too", () =>
    Effect.gen(function* () {
      const proxy = yield* Proxy.make(yield* backend.fresh)
      yield* proxy.stall(backend.kind === "mysql" ? "time_zone" : "user")
      const sql = yield* open(proxy.url, {
        acquireTimeout: "500ms",
        bootWait: "1 minute",
        maxConnections: 1,
        statementTimeout: "Infinity"
      })
      expect(yield* sql`select 1 as one`).toEqual([{ one: 1 }])
    })
  )

  check("is not silent in a transaction that waits for its handler", () =>
    Effect.gen(function* () {
      const { id, sql } = yield* rig(backend)
      const before = yield* id
      yield* sql.withTransaction(
        Effect.andThen(bump(sql), Effect.andThen(Effect.sleep("1700 millis"), bump(sql)))
      )
      expect(yield* n(sql)).toBe(2)
      expect(yield* id).toBe(before)
    })
  )

  // Not concurrent: it blocks the process.
  it("whose answer waits while the process is busy is not silent", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          // A proxy would be as busy as the client.
          const sql = yield* open(yield* backend.fresh, { statementTimeout: limit })
          const running = yield* Effect.forkChild(sql`select 1 as one`)
          yield* Effect.yieldNow
          const end = performance.now() + 1700
          while (performance.now() < end);
          expect(yield* Fiber.join(running)).toEqual([{ one: 1 }])
        })
      )
    ))

  it.skipIf(platform() !== "linux")("an idle connection has TCP keepalive", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const { proxy } = yield* rig(backend)
          const port = Number(new URL(proxy.url).port).toString(16).padStart(4, "0").toUpperCase()
          // The timer of the kernel: 02 is that of keepalive.
          const timers = readFileSync("/proc/net/tcp", "utf8")
            .split("\n")
            .map((line) => line.trim().split(/\s+/))
            .filter(([, , remote, state]) => remote?.endsWith(`:${port}`) && state === "01")
            .map((fields) => fields[5]!.split(":")[0])
          expect(timers).toEqual(["02"])
        })
      )
    )
  )
})

onEach([postgres], "A connection that listens", (backend) => {
  it("may be silent for longer than database.statementTimeout", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const { direct, sql } = yield* rig(backend)
          const { listen } = sql as PgClient // the client of PostgreSQL
          const queue = yield* listen("news")
          yield* Effect.sleep("1700 millis")
          yield* direct`select pg_notify('news', 'late')`
          expect(yield* Queue.take(queue)).toMatchObject({ payload: "late" })
        })
      )
    ))
})
