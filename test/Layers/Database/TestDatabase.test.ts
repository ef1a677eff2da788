import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { SqlClient } from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import * as Database from "flange/Database"
import { TestDatabase } from "flange/Database/Testing"
import { TestApp } from "flange/Testing"
import { onAll } from "./drills/Backends.ts"
import { appOf, Declined, Script } from "./drills/Rig.ts"

onAll((backend) => {
  const config = { database: { runMigrations: false, url: backend.url } }

  /** A table that stays, made outside of the test's transaction. */
  const withTable = <A, E, R>(use: (name: string) => Effect.Effect<A, E, R>) => {
    const name = `td_${crypto.randomUUID().replaceAll("-", "")}`
    if (backend.name === "PGlite") return use(name)
    const direct = TestApp.make(appOf(new Script()), { config })
    return Effect.acquireUseRelease(
      Effect.flatMap(direct, (app) =>
        Effect.flatMap(app.run(SqlClient), (sql) =>
          Effect.as(sql`create table ${sql(name)} (id integer unique, who varchar(80))`, sql)
        )
      ),
      (sql) =>
        Effect.tap(use(name), () =>
          Effect.map(sql`select * from ${sql(name)}`, (rows) => expect(rows).toEqual([]))
        ),
      (sql) => Effect.ignore(sql`drop table ${sql(name)}`)
    )
  }

  const rig = (name: string) =>
    Effect.gen(function* () {
      const script = new Script()
      const app = yield* TestApp.make(appOf(script, { endpoint: { isolation: "serializable" } }), {
        config,
        replace: [[Database.plugin, TestDatabase.rolledBack(Database.layer)]]
      })
      const sql = yield* app.run(SqlClient)
      const table = sql(name)
      if (backend.name === "PGlite") {
        yield* sql`create table ${table} (id integer unique, who varchar(80))`
      }
      return {
        all: Effect.map(
          sql<{ readonly who: string }>`select who from ${table} order by id`,
          (rows) => rows.map(({ who }) => who)
        ),
        app,
        insert: (who: string, id: number) =>
          Effect.orDie(sql`insert into ${table} (id, who) values (${id}, ${who})`),
        script,
        sql,
        table
      }
    })

  it.live("the app's transactions are savepoints in one that is rolled back", () =>
    withTable((name) =>
      Effect.gen(function* () {
        const { all, app, insert, script, sql, table } = yield* rig(name)
        yield* insert("plain", 1)
        script.write = insert("lost", 2).pipe(Effect.andThen(new Declined()))
        const declined = yield* app.post("/write")
        declined.expectStatus(409)
        expect(yield* all).toEqual(["plain"])
        const seen: Array<unknown> = []
        script.write = Effect.gen(function* () {
          yield* insert("kept", 2)
          yield* sql.afterCommit(
            Effect.orDie(Effect.asVoid(Effect.map(all, (who) => seen.push(who))))
          )
          yield* Effect.exit(sql.withTransaction(Effect.andThen(insert("x", 3), Effect.fail("no"))))
          yield* Database.outsideTransaction(insert("joined", 4))
          return yield* Stream.runCollect(sql`select id from ${table} order by id`.stream)
        }).pipe(Effect.orDie)
        const kept = yield* app.post("/write")
        kept.expectStatus(200).expectJson([{ id: 1 }, { id: 2 }, { id: 4 }])
        expect(yield* all).toEqual(["plain", "kept", "joined"])
        expect(seen).toEqual([["plain", "kept", "joined"]])
        // The test's own transactions, and those of services.
        yield* Effect.exit(sql.withTransaction(Effect.andThen(insert("y", 5), Effect.fail("no"))))
        yield* sql.withTransaction(insert("z", 6))
        expect(yield* all).toEqual(["plain", "kept", "joined", "z"])
      }).pipe(Effect.scoped)
    )
  )

  it.live("a query that fails spoils nothing", () =>
    withTable((name) =>
      Effect.gen(function* () {
        const { all, app, insert, script, sql, table } = yield* rig(name)
        yield* insert("a", 1)
        const twice = sql`insert into ${table} (id, who) values (1, 'b')`
        const error = yield* Effect.flip(twice)
        expect(error.reason._tag).toBe("UniqueViolation")
        const failed = yield* Effect.exit(Stream.runDrain(sql`select * from nowhere`.stream))
        expect(failed._tag).toBe("Failure")
        script.write = Effect.as(Effect.exit(twice), "swallowed")
        const reply = yield* app.post("/write")
        // PostgreSQL does not commit after a failed statement; MySQL does.
        expect(reply.status).toBe(backend.name === "MySQL" ? 200 : 500)
        script.read = insert("refused", 2)
        const read = yield* app.get("/read")
        if (backend.name !== "MySQL") read.expectStatus(500)
        yield* sql`delete from ${table} where id = 2`
        expect(yield* all).toEqual(["a"])
      }).pipe(Effect.scoped)
    )
  )

  it.live("concurrent requests take turns", () =>
    withTable((name) =>
      Effect.gen(function* () {
        const { all, app, insert, script } = yield* rig(name)
        let id = 0
        script.write = Effect.suspend(() => {
          const mine = id++
          return insert(`${mine}`, mine).pipe(
            Effect.andThen(Effect.sleep("1 millis")),
            Effect.andThen(mine % 2 === 0 ? Effect.void : new Declined())
          )
        })
        const replies = yield* Effect.forEach(
          Array.from({ length: 20 }),
          () => app.post("/write"),
          {
            concurrency: "unbounded"
          }
        )
        expect(replies.filter(({ status }) => status === 200)).toHaveLength(10)
        expect(yield* all).toHaveLength(10)
      }).pipe(Effect.scoped)
    )
  )

  it.live("tests that share an app do not see each other", () =>
    withTable((name) =>
      Effect.gen(function* () {
        const { all, app, insert, script } = yield* rig(name)
        yield* insert("shared", 1)
        script.write = insert("mine", 2)
        const test = Effect.gen(function* () {
          const reply = yield* app.post("/write")
          reply.expectStatus(200)
          return yield* all
        })
        expect(yield* app.run(TestDatabase.isolated(test))).toEqual(["shared", "mine"])
        expect(yield* app.run(TestDatabase.isolated(test))).toEqual(["shared", "mine"])
        expect(yield* all).toEqual(["shared"])
      }).pipe(Effect.scoped)
    )
  )
})

it.live("a test is not isolated on a database that would keep it", () =>
  Effect.gen(function* () {
    const died = yield* Effect.exit(TestDatabase.isolated(Effect.void))
    expect(String(died)).toContain("TestDatabase.rolledBack")
  }).pipe(Effect.provide(Database.layerMemory))
)
