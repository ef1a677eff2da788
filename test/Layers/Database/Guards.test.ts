// What every client refuses, and what no concurrent fiber can do to a transaction.
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Model from "effect/schema/Model"
import type * as Scope from "effect/Scope"
import type * as SqlClient from "effect/sql/SqlClient"
import { SqlClient as Client } from "effect/sql/SqlClient"
import * as SqlModel from "effect/sql/SqlModel"
import * as Stream from "effect/Stream"
import { expect, it } from "vitest"
import { connect } from "../../../src/Layers/Database/Connect.ts"
import { TestDatabase } from "../../../src/Layers/Database/Testing.ts"
import { all, type Backend, mysql, onEach, open, settings } from "./backends.ts"

type Test = (sql: SqlClient.SqlClient) => Effect.Effect<unknown, unknown, Scope.Scope>

const expectRefused = (exit: Exit.Exit<unknown, unknown>) =>
  expect(String(Exit.isFailure(exit) && exit.cause)).toContain("TransactionEnded")

const suite = (
  backend: Backend,
  client: (url: string) => Effect.Effect<SqlClient.SqlClient, unknown, Scope.Scope>
) => {
  const check = (title: string, test: Test) =>
    it(title, () =>
      Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const url = yield* backend.fresh
            const table = (sql: SqlClient.SqlClient) =>
              sql`create table notes (id integer primary key)`
            // MySQL commits at `create table`, so the table is there before the test's client.
            if (backend.kind !== "pglite") yield* Effect.scoped(Effect.flatMap(open(url), table))
            const sql = yield* client(url)
            if (backend.kind === "pglite") yield* table(sql)
            yield* test(sql)
          })
        )
      )
    )
  const insert = (sql: SqlClient.SqlClient, id: number) =>
    sql`insert into notes ${sql.insert({ id })}`
  const ids = (sql: SqlClient.SqlClient) =>
    Effect.map(sql<{ id: number }>`select id from notes order by id`, (rows) =>
      rows.map(({ id }) => id)
    )

  check(
    "a fiber that outlives its transaction is refused, beside a transaction of another",
    (sql) =>
      Effect.gen(function* () {
        const over = yield* Deferred.make<void>()
        const outliving = yield* sql.withTransaction(
          Effect.andThen(
            insert(sql, 1),
            Effect.forkDetach(
              Effect.andThen(
                Deferred.await(over),
                Effect.all([
                  Effect.exit(insert(sql, 2)),
                  Effect.exit(sql.withTransaction(insert(sql, 3))),
                  Effect.exit(Effect.as(Stream.runDrain(sql`select id from notes`.stream), []))
                ])
              )
            )
          )
        )
        yield* Effect.ignore(
          sql.withTransaction(
            Effect.gen(function* () {
              yield* insert(sql, 4)
              yield* Deferred.succeed(over, undefined)
              for (const exit of yield* Fiber.join(outliving)) {
                expectRefused(exit)
              }
              yield* Effect.fail("roll back")
            })
          )
        )
        expect(yield* ids(sql)).toEqual([1])
      })
  )

  check("a fiber that outlives its nested transaction is refused", (sql) =>
    Effect.gen(function* () {
      yield* sql.withTransaction(
        Effect.gen(function* () {
          const over = yield* Deferred.make<void>()
          const outliving = yield* sql.withTransaction(
            Effect.forkDetach(Effect.andThen(Deferred.await(over), Effect.exit(insert(sql, 1))))
          )
          yield* Effect.ignore(
            sql.withTransaction(
              Effect.gen(function* () {
                yield* insert(sql, 2)
                yield* Deferred.succeed(over, undefined)
                const exit = yield* Fiber.join(outliving)
                expectRefused(exit)
                yield* Effect.fail("roll back")
              })
            )
          )
          yield* insert(sql, 3)
        })
      )
      expect(yield* ids(sql)).toEqual([3])
    })
  )

  check("a query beside the failing nested transaction of a sibling is kept", (sql) =>
    Effect.gen(function* () {
      const failing = Effect.ignore(
        sql.withTransaction(
          Effect.gen(function* () {
            yield* insert(sql, 1)
            yield* Effect.yieldNow
            yield* insert(sql, 2)
            yield* Effect.fail("no")
          })
        )
      )
      yield* sql.withTransaction(
        Effect.all([failing, insert(sql, 3), failing, Effect.delay(insert(sql, 4), 1)], {
          concurrency: "unbounded"
        })
      )
      expect(yield* ids(sql)).toEqual([3, 4])
    })
  )

  check("a stream beside the failing nested transaction of a sibling waits for its end", (sql) =>
    Effect.gen(function* () {
      const began = yield* Deferred.make<void>()
      const failing = Effect.ignore(
        sql.withTransaction(
          Effect.gen(function* () {
            yield* insert(sql, 1)
            yield* Deferred.succeed(began, undefined)
            yield* Effect.yieldNow
            yield* Effect.fail("no")
          })
        )
      )
      const read = Effect.andThen(
        Deferred.await(began),
        Stream.runCollect(sql`select id from notes`.stream)
      )
      const [, rows] = yield* sql.withTransaction(
        Effect.all([failing, read], { concurrency: "unbounded" })
      )
      expect(rows).toEqual([])
    })
  )

  check("an empty list of rows is refused by name, and nothing is sent", (sql) =>
    Effect.gen(function* () {
      const rows: Array<Record<string, unknown>> = []
      const inserting = Effect.suspend(() => sql`insert into notes ${sql.insert(rows as never)}`)
      const [first] = String(yield* Effect.flip(Effect.sandbox(inserting))).split("\n")
      expect(first).toContain("sql.insert([]) has no rows")
      expect(() => sql.updateValues(rows as never, "data")).toThrow(
        "sql.updateValues([]) has no rows"
      )
    })
  )

  check("more parameters than the protocol can count are refused with both numbers", (sql) =>
    Effect.gen(function* () {
      const limit = backend.kind === "mysql" ? 65_535 : 32_767
      const list = Array.from({ length: limit + 1 }, (_, index) => index)
      const query = (values: ReadonlyArray<number>) =>
        sql`select id from notes where id in ${sql.in(values)}`
      const error = yield* Effect.flip(query(list))
      const [first] = error.message.split("\n")
      expect(first).toContain(`${limit + 1} parameters`)
      expect(first).toContain(`at most ${limit}`)
      expect(yield* query(list.slice(1))).toEqual([])
    })
  )

  check("a query that locks rows is refused outside a transaction, and runs in one", (sql) =>
    Effect.gen(function* () {
      yield* insert(sql, 1)
      // PGlite has the syntax of PostgreSQL.
      const own =
        backend.kind === "mysql"
          ? [
              "select id from `notes` lock in share mode",
              "# to book\nselect id from `notes` where 'it\\'s' <> '' for update",
              "select id from notes order by id limit 1 for update"
            ]
          : [
              "select id from notes for no key update",
              "select id from notes for key share;",
              `select id from "notes" for update of "notes" nowait limit 1`,
              "select id from notes where 'a\\' <> '' for update",
              "select id from notes where $$for it's$$ <> '' for update",
              "/* a /* nested */ comment */ table notes for update",
              "with held as (select id from notes for update) select id from held",
              "(select id from notes) for update"
            ]
      const locking = [
        "select id from notes for update",
        "SELECT id FROM notes WHERE id = 1 FOR\n  UPDATE ;",
        "-- to book\nselect id from notes for update",
        "/* to book */ select id from notes for update -- held until the end",
        "(select id from notes for update)",
        "select id from (select id from notes for update) as held",
        "select id from notes for update skip locked",
        ...own
      ]
      for (const text of locking) {
        for (const query of [sql.unsafe(text), sql.unsafe(text).values, sql.unsafe(text).raw]) {
          const exit = yield* Effect.exit<unknown, unknown, never>(query)
          expect(String(Exit.isFailure(exit) && exit.cause)).toContain(
            `The query \`${text}\` locks rows outside a transaction`
          )
        }
        const streamed = yield* Effect.exit(Stream.runDrain(sql.unsafe(text).stream))
        expect(String(Exit.isFailure(streamed) && streamed.cause)).toContain("NotInTransaction")
        expect(yield* sql.withTransaction(sql.unsafe(text))).toEqual([{ id: 1 }])
      }
      // Neither the text of a value nor a statement that writes is a lock that is lost.
      const texts = [
        "select id from notes where 'for update' <> 'a'",
        "select id from notes -- without a lock: for update",
        "select id from notes /* not for share */",
        "select id from notes where 'it''s for update' <> ''"
      ]
      if (backend.kind === "mysql") {
        texts.push(
          'select id from notes where "for update" <> ""',
          "select id from notes # not for update",
          "select `for update`.id from notes as `for update`",
          "select id from notes where 'it\\'s for update' <> ''"
        )
      } else {
        texts.push(
          "update notes set id = 1 where id in (select id from notes for update) returning id",
          "with held as (select id from notes for no key update) update notes set id = 1 where id in (select id from held) returning id",
          `select id from notes as "for update" order by "for update"`,
          "select id from notes where $$ for update$$ <> ''",
          "select id from (select 1 as id, 3 as share) as a where substring('abc' for share) <> ''"
        )
      }
      for (const text of texts) expect(yield* sql.unsafe(text)).toEqual([{ id: 1 }])
    })
  )

  check("a second statement in the text of a query is refused", (sql) =>
    Effect.gen(function* () {
      const injected = "select 1; insert into notes values (1)"
      for (const query of [sql.unsafe(injected), sql.unsafe(injected).unprepared]) {
        expect(Exit.isFailure(yield* Effect.exit(query))).toBe(true)
      }
      const like = `insert into \`notes\` (\`id\`) VALUES (2);\nselect * from \`notes\` where \`id\` = LAST_INSERT_ID();`
      expect(Exit.isFailure(yield* Effect.exit(sql.unsafe(like).unprepared))).toBe(true)
      expect(yield* ids(sql)).toEqual([])
    })
  )
}

onEach(all, "A client", (backend) => {
  suite(backend, (url) => open(url, { maxConnections: 2 }))

  it("whose connection is used after its reservation refuses the query", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const sql = yield* open(yield* backend.fresh)
          const connection = yield* Effect.scoped(sql.reserve)
          const exit = yield* Effect.exit(connection.execute("select 1", [], undefined))
          expectRefused(exit)
        })
      )
    ))
})

onEach(all, "The client of a TestDatabase", (backend) => {
  suite(backend, (url) =>
    Effect.map(
      Layer.build(TestDatabase.rolledBack(Layer.effect(Client, open(url)))),
      (services) => services.mapUnsafe.get(Client.key) as SqlClient.SqlClient
    )
  )
})

onEach([mysql], "The client of migrations", (backend) => {
  it("accepts several statements in one query", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const sql = yield* connect(settings({ url: yield* backend.fresh }), { migrates: true })
          yield* sql.unsafe("create table a (id integer); create table b (id integer)").unprepared
          expect(yield* sql`select * from b`).toEqual([])
        })
      )
    ))
})

class Note extends Model.Class<Note>("Note")({
  "a?b": Schema.String,
  deletedAt: Schema.NullOr(Schema.Date).pipe(Model.FieldOnly(["select"])),
  id: Schema.Int.pipe(Model.FieldExcept(["insert"]))
}) {}

onEach([mysql], "The pairs of statements of SqlModel", (backend) => {
  it("run without a connection for several statements, also with odd names", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const sql = yield* open(yield* backend.fresh)
          yield* sql`create table notes (id integer auto_increment primary key, ${sql("a?b")} text, ${sql("deletedAt")} datetime)`
          const notes = yield* SqlModel.makeRepository(Note, {
            idColumn: "id",
            softDeleteColumn: "deletedAt",
            spanPrefix: "Notes",
            tableName: "notes"
          }).pipe(Effect.provideService(Client, sql))
          expect(yield* notes.insert({ "a?b": "first" })).toMatchObject({ "a?b": "first", id: 1 })
          const changed = yield* notes.update({ "a?b": "second", id: 1 })
          expect(changed).toMatchObject({ "a?b": "second" })
        })
      )
    ))
})
