/** What happens in the database at the time limit of a request. */
import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import { App, Plugin, Route } from "flange"
import * as Database from "flange/Database"
import { TestApp } from "flange/Testing"
import * as Timeout from "flange/Timeout"
import { onPostgres, onServers } from "../Database/drills/Backends.ts"

class SqlApi extends HttpApiGroup.make("sql").add(
  HttpApiEndpoint.post("run", "/run", { success: Schema.Json })
) {}

/** The app on a database, with an empty table. The test gives the handler. */
const rig = (url: string, database: object = {}) =>
  Effect.gen(function* () {
    const script = { run: Effect.succeed<unknown>("done") as Effect.Effect<unknown> }
    const Sql = Plugin.make("app:sql", {
      requires: [SqlClient],
      routes: [
        Route.public(SqlApi, (handlers) =>
          handlers.handleAll({
            run: () =>
              Effect.map(
                Effect.suspend(() => script.run),
                (value): Schema.Json => JSON.parse(JSON.stringify(value))
              )
          })
        )
      ]
    })
    const app = App.make("timeouts", [
      Timeout.plugin,
      Database.plugin,
      Database.transactional(),
      Sql
    ])
    const test = yield* TestApp.make(app, {
      config: {
        database: { runMigrations: false, url, ...database },
        timeout: { callers: "any", default: "10 seconds" }
      }
    })
    const sql = yield* test.run(SqlClient)
    const table = sql(`timeout_${crypto.randomUUID().replaceAll("-", "")}`)
    yield* sql`create table ${table} (id integer)`
    yield* Effect.addFinalizer(() => Effect.ignore(sql`drop table ${table}`))
    const count = Effect.map(
      sql<{ readonly n: unknown }>`select count(*) as n from ${table}`,
      ([row]) => Number(row!.n)
    )
    return { count, script, sql, table, test }
  })

onServers(({ name, url }) => {
  it.effect("a statement is cancelled and its transaction rolled back", () =>
    Effect.gen(function* () {
      const { count, script, sql, table, test } = yield* rig(url)
      const begun = yield* Deferred.make<void>()
      const mark = crypto.randomUUID()
      const asleep = name === "MySQL" ? "sleep(600)" : "pg_sleep(600)"
      script.run = Effect.gen(function* () {
        yield* sql`insert into ${table} (id) values (1)`
        yield* Deferred.succeed(begun, undefined)
        return yield* sql.unsafe(`select ${asleep} as slept /* ${mark} */`)
      }).pipe(Effect.orDie)
      const fiber = yield* Effect.forkChild(test.post("/run"))
      yield* Deferred.await(begun)
      const running = (
        name === "MySQL"
          ? sql`select id from information_schema.processlist where info like ${`%${mark}%`} and info not like ${"%processlist%"}`
          : sql`select pid from pg_stat_activity where state = 'active' and query like ${`%${mark}%`} and pid <> pg_backend_pid()`
      ).pipe(Effect.map(({ length }) => length))
      while ((yield* running) === 0) yield* TestClock.withLive(Effect.sleep(5))
      yield* TestClock.adjust("10 seconds")
      const reply = yield* Fiber.join(fiber)
      reply.expectProblem("TIMEOUT", 504, { activity: "SQL" })
      while ((yield* running) > 0) yield* TestClock.withLive(Effect.sleep(5))
      assert.strictEqual(yield* count, 0)
      test.expectNoErrors()
    })
  )

  it.effect("the wait for a connection ends", () =>
    Effect.gen(function* () {
      const { script, sql, test } = yield* rig(url, { maxConnections: 1 })
      const held = yield* Deferred.make<void>()
      const free = yield* Deferred.make<void>()
      const holder = yield* Effect.forkChild(
        sql.withTransaction(Effect.andThen(Deferred.succeed(held, undefined), Deferred.await(free)))
      )
      yield* Deferred.await(held)
      const begun = yield* Deferred.make<void>()
      script.run = Effect.orDie(Effect.andThen(Deferred.succeed(begun, undefined), sql`select 1`))
      const fiber = yield* Effect.forkChild(test.post("/run"))
      yield* Deferred.await(begun)
      yield* TestClock.adjust("10 seconds")
      ;(yield* Fiber.join(fiber)).expectProblem("TIMEOUT", 504, {
        activity: "waiting for a database connection"
      })
      yield* Deferred.succeed(free, undefined)
      yield* Fiber.join(holder)
      ;(yield* test.post("/run")).expectStatus(200)
    })
  )
})

onPostgres(({ url }) => {
  it.effect("the server has the limit of the request for its statements, and a second more", () =>
    Effect.gen(function* () {
      const { script, sql, test } = yield* rig(url, { statementTimeout: "30 seconds" })
      const limit = sql<{ readonly ms: number }>`
        select setting::integer as ms from pg_settings where name = 'statement_timeout'`
      script.run = Effect.orDie(Effect.map(limit, ([row]) => row!.ms))
      const before = yield* Effect.map(limit, ([row]) => row!.ms)
      assert.strictEqual((yield* test.post("/run")).json, 11_000)
      const short = yield* test.post("/run", { headers: { "x-request-timeout": "500" } })
      assert.strictEqual(short.json, 1500)
      // It ends with the transaction.
      assert.strictEqual(yield* Effect.map(limit, ([row]) => row!.ms), before)
    })
  )
})
