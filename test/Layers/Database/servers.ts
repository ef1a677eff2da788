// What only a server can do: cancel, time out, deadlock, drop a connection. PostgreSQL and MySQL.
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Stream from "effect/Stream"
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest"
import { type Backend, open } from "./backends.ts"
import { proxyTo } from "./proxy.ts"

const reasonOf = <A>(effect: Effect.Effect<A, SqlError>) =>
  Effect.map(Effect.flip(effect), (error) => error.reason)

export const serverConformance = (backend: Backend): void => {
  const scope = Scope.makeUnsafe()
  let sql: SqlClient.SqlClient
  let url: string
  const mysql = backend.kind === "mysql"

  const setUp = Effect.gen(function* () {
    url = yield* backend.fresh
    sql = yield* open(url, { maxConnections: 4 })
    yield* sql`create table counters (id integer primary key, n integer not null)`
  }).pipe(Scope.provide(scope))

  beforeAll(() => Effect.runPromise(setUp))
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  beforeEach(() =>
    Effect.runPromise(
      Effect.andThen(sql`delete from counters`, sql`insert into counters values (1, 0), (2, 0)`)
    )
  )

  const check = (title: string, test: () => Effect.Effect<unknown, unknown, Scope.Scope>) =>
    it(title, () => Effect.runPromise(Effect.scoped(Effect.suspend(test))))

  const sleep = (client: SqlClient.SqlClient, seconds: number, mark: string) =>
    client.unsafe(`select ${mysql ? "sleep" : "pg_sleep"}(${seconds}) /* ${mark} */`)

  /** The statements that the server still runs, among those with the mark. */
  const running = (mark: string) =>
    mysql
      ? sql`select id from information_schema.processlist where info like ${`%${mark}%`} and info not like ${"%processlist%"}`
      : sql`select pid from pg_stat_activity where state = 'active' and query like ${`%${mark}%`} and pid <> pg_backend_pid()`

  const until = (condition: Effect.Effect<boolean, SqlError>) =>
    Effect.gen(function* () {
      while (!(yield* condition)) yield* Effect.sleep(10)
    })

  const count = (id: number) =>
    Effect.map(sql<{ n: number }>`select n from counters where id = ${id}`, ([row]) => row?.n)

  const selfId = mysql ? "connection_id()" : "pg_backend_pid()"
  const kill = (id: number) =>
    mysql ? sql.unsafe(`kill ${id}`) : sql.unsafe(`select pg_terminate_backend(${id})`)

  check("an interruption stops the statement on the server, and the connection goes on", () =>
    Effect.gen(function* () {
      const one = yield* open(url, { maxConnections: 1 })
      const [before] = yield* one.unsafe<{ id: number }>(`select ${selfId} as id`)
      const fiber = yield* Effect.forkChild(sleep(one, 30, "mark-interrupt"))
      yield* until(Effect.map(running("mark-interrupt"), (rows) => rows.length === 1))
      yield* Fiber.interrupt(fiber)
      yield* until(Effect.map(running("mark-interrupt"), (rows) => rows.length === 0))
      for (let round = 0; round < 20; round++) {
        expect(yield* one`select 1 as one`).toEqual([{ one: 1 }])
      }
      if (mysql) expect(yield* one.unsafe(`select ${selfId} as id`)).toEqual([before])
    })
  )

  check("an interrupted transaction is rolled back, on the server too", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(
        sql.withTransaction(
          Effect.andThen(sql`update counters set n = 5 where id = 1`, sleep(sql, 30, "mark-tx"))
        )
      )
      yield* until(Effect.map(running("mark-tx"), (rows) => rows.length === 1))
      yield* Fiber.interrupt(fiber)
      expect(yield* count(1)).toBe(0)
      yield* sql`update counters set n = n + 1 where id = 1`
      expect(yield* count(1)).toBe(1)
    })
  )

  check("statements interrupted at any moment leave a pool that works", () =>
    Effect.gen(function* () {
      const small = yield* open(url, { maxConnections: 2 })
      yield* Effect.forEach(
        Array.from({ length: 60 }, (_, index) => index),
        (index) =>
          Effect.gen(function* () {
            const work = small.withTransaction(small`update counters set n = n + 1 where id = 1`)
            const fiber = yield* Effect.forkChild(work)
            if (index % 3 > 0) yield* Effect.sleep(index % 7)
            yield* Fiber.interrupt(fiber)
          }),
        { concurrency: 8, discard: true }
      )
      const before = yield* count(1)
      yield* Effect.forEach(
        Array.from({ length: 10 }),
        () => small.withTransaction(small`update counters set n = n + 1 where id = 1`),
        { concurrency: "unbounded", discard: true }
      )
      expect(yield* count(1)).toBe(before! + 10)
    })
  )

  check("a stream that is left early stops the statement on the server", () =>
    Effect.gen(function* () {
      const many = mysql
        ? sql`select 1 as n /* mark-stream */ from information_schema.columns a, information_schema.columns b, information_schema.columns c`
        : sql`select generate_series(1, 50000000) as n /* mark-stream */`
      expect(yield* Stream.runCollect(Stream.take(many.stream, 2))).toHaveLength(2)
      yield* until(Effect.map(running("mark-stream"), (rows) => rows.length === 0))
      expect(yield* sql`select 1 as one`).toEqual([{ one: 1 }])
    })
  )

  check("database.statementTimeout ends a statement on the server", () =>
    Effect.gen(function* () {
      const limited = yield* open(url, { statementTimeout: "200ms" })
      const statement = mysql
        ? limited`select count(*) from information_schema.columns a, information_schema.columns b, information_schema.columns c`
        : sleep(limited, 30, "mark-limit")
      expect((yield* reasonOf(statement))._tag).toBe("StatementTimeoutError")
      expect(yield* limited`select 1 as one`).toEqual([{ one: 1 }])
    })
  )

  check("of two transactions in a deadlock one fails, wholly, and says so", () =>
    Effect.gen(function* () {
      const first = yield* Deferred.make<void>()
      const second = yield* Deferred.make<void>()
      const bump = (id: number) => sql`update counters set n = n + 1 where id = ${id}`
      const cross = (
        own: Deferred.Deferred<void>,
        other: Deferred.Deferred<void>,
        from: number,
        to: number
      ) =>
        sql.withTransaction(
          Effect.gen(function* () {
            yield* bump(from)
            yield* Deferred.succeed(own, undefined)
            yield* Deferred.await(other)
            // The nested transaction and the catch must not hide that the whole is lost.
            yield* Effect.ignore(sql.withTransaction(bump(to)))
            yield* bump(from)
          })
        )
      const exits = yield* Effect.forEach(
        [cross(first, second, 1, 2), cross(second, first, 2, 1)],
        (transaction) => Effect.exit(transaction),
        { concurrency: 2 }
      )
      const total = (yield* count(1))! + (yield* count(2))!
      if (mysql) {
        // The server rolled the victim back, so it fails although it caught the error.
        const failed = exits.filter(Exit.isFailure)
        expect(failed).toHaveLength(1)
        expect(JSON.stringify(failed[0])).toContain("DeadlockError")
        expect(total).toBe(3)
      } else {
        // PostgreSQL rolls back to the savepoint, and both may commit.
        expect(exits.every(Exit.isSuccess)).toBe(true)
        expect(total).toBe(5)
      }
    })
  )

  check("a deadlock has its own reason", () =>
    Effect.gen(function* () {
      const taken = [yield* Deferred.make<void>(), yield* Deferred.make<void>()] as const
      const reasons: Array<string> = []
      const cross = (index: 0 | 1) =>
        sql
          .withTransaction(
            Effect.gen(function* () {
              yield* sql`update counters set n = 1 where id = ${index + 1}`
              yield* Deferred.succeed(taken[index], undefined)
              yield* Deferred.await(taken[index === 0 ? 1 : 0])
              yield* sql`update counters set n = 1 where id = ${2 - index}`
            })
          )
          .pipe(Effect.catch((error) => Effect.sync(() => void reasons.push(error.reason._tag))))
      yield* Effect.all([cross(0), cross(1)], { concurrency: 2 })
      expect(reasons).toEqual(["DeadlockError"])
    })
  )

  check("a connection lost in a transaction is a typed error, and the next query works", () =>
    Effect.gen(function* () {
      const one = yield* open(url, { maxConnections: 1 })
      for (const nested of [false, true]) {
        const reason = yield* reasonOf(
          one.withTransaction(
            Effect.gen(function* () {
              yield* one`update counters set n = 7 where id = 1`
              const [row] = yield* one.unsafe<{ id: number }>(`select ${selfId} as id`)
              yield* kill(row!.id)
              const query = one`select 1`
              yield* nested ? one.withTransaction(query) : query
            })
          )
        )
        expect(reason._tag).toBe("ConnectionError")
        expect(reason.isRetryable).toBe(true)
        expect(yield* one`select n from counters where id = 1`).toEqual([{ n: 0 }])
      }
    })
  )

  check("idle connections that the server drops are replaced", () =>
    Effect.gen(function* () {
      const small = yield* open(url, { maxConnections: 3 })
      const ids = yield* Effect.forEach(
        [1, 2, 3],
        () =>
          small.withTransaction(
            Effect.tap(small.unsafe<{ id: number }>(`select ${selfId} as id`), Effect.sleep(50))
          ),
        { concurrency: 3 }
      )
      yield* Effect.forEach(ids.flat(), ({ id }) => kill(id))
      yield* Effect.sleep(100)
      const rows = yield* Effect.forEach([1, 2, 3], () => small`select 1 as one`, {
        concurrency: 3
      })
      expect(rows.flat()).toEqual([{ one: 1 }, { one: 1 }, { one: 1 }])
    })
  )

  check("a connection is replaced after database.connectionTtl", () =>
    Effect.gen(function* () {
      const one = yield* open(url, { connectionTtl: "50ms", maxConnections: 1 })
      const id = one.unsafe<{ id: number }>(`select ${selfId} as id`)
      const before = yield* id
      yield* Effect.sleep(80)
      expect(yield* id).not.toEqual(before)
    })
  )

  check("two hundred concurrent transactions on four connections all succeed", () =>
    Effect.gen(function* () {
      const bump = sql.withTransaction(sql`update counters set n = n + 1 where id = 1`)
      yield* Effect.forEach(Array.from({ length: 200 }), () => bump, {
        concurrency: "unbounded",
        discard: true
      })
      expect(yield* count(1)).toBe(200)
    })
  )

  check("after an outage the same client works again", () =>
    Effect.gen(function* () {
      const proxy = yield* proxyTo(url)
      const far = yield* open(proxy.url, { acquireTimeout: "1s", maxConnections: 4 })
      const eight = (attempt: Effect.Effect<unknown, SqlError>) =>
        Effect.forEach(Array.from({ length: 8 }), () => Effect.exit(attempt), {
          concurrency: "unbounded"
        })
      expect((yield* eight(far`select 1`)).every(Exit.isSuccess)).toBe(true)
      yield* proxy.down
      for (const attempt of [far`select 1`, far.withTransaction(far`select 1`)]) {
        yield* eight(attempt)
        const reason = yield* reasonOf(attempt)
        expect(reason._tag).toBe("ConnectionError")
      }
      yield* proxy.up
      expect((yield* eight(far.withTransaction(far`select 1`))).every(Exit.isSuccess)).toBe(true)
    })
  )

  check("a start without a limit on the wait waits for a slow server", () =>
    Effect.gen(function* () {
      const proxy = yield* proxyTo(url, 50)
      const slow = yield* open(proxy.url, { acquireTimeout: "Infinity" })
      expect(yield* slow`select 1 as one`).toEqual([{ one: 1 }])
    })
  )

  check("the start waits for a server that is not there yet", () =>
    Effect.gen(function* () {
      const proxy = yield* proxyTo(url)
      yield* proxy.down
      const opening = yield* Effect.forkChild(open(proxy.url))
      yield* Effect.sleep(300)
      yield* proxy.up
      const late = yield* Fiber.join(opening)
      expect(yield* late`select 1 as one`).toEqual([{ one: 1 }])
    })
  )

  check("the start gives up with the server's name, and without the password", () =>
    Effect.gen(function* () {
      const proxy = yield* proxyTo(url)
      yield* proxy.down
      const target = new URL(proxy.url)
      target.password = "p%40ss-word"
      target.pathname = "/shop"
      const error = yield* Effect.flip(open(target.href, { bootWait: "300ms" }))
      expect(error._tag).toBe("DatabaseUnreachable")
      expect(error.message).toContain(`127.0.0.1:${target.port}, database "shop"`)
      expect(error.message).toContain("ECONNREFUSED")
      expect(`${error.message} ${JSON.stringify(error)}`).not.toMatch(/p(%40|@)ss-word/)
    })
  )

  check("a server that refuses for good is not asked for the whole bootWait", () =>
    Effect.gen(function* () {
      const target = new URL(url)
      target.pathname = "/flange_no_such_database"
      const error = yield* Effect.flip(open(target.href, { bootWait: "1 hour" }))
      expect(error._tag).toBe("DatabaseUnreachable")
      expect(error.message).toContain("flange_no_such_database")
    })
  )
}
