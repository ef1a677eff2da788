// What every database does for a program that knows only `SqlClient`. One suite, three backends.
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Model from "effect/schema/Model"
import * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as SqlModel from "effect/sql/SqlModel"
import * as Stream from "effect/Stream"
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest"
import { type Backend, open } from "./backends.ts"

/** The reason of the error that the effect must fail with. */
const reasonOf = <A>(effect: Effect.Effect<A, SqlError>) =>
  Effect.map(Effect.flip(effect), (error) => error.reason)

export const conformance = (backend: Backend): void => {
  const scope = Scope.makeUnsafe()
  let sql: SqlClient.SqlClient
  let url: string

  const setUp = Effect.gen(function* () {
    url = yield* backend.fresh
    sql = yield* open(url, { maxConnections: 8 })
    yield* sql`create table people (id integer primary key, name varchar(200) not null, age integer, constraint people_name unique (name))`
    yield* sql`create table pets (id integer primary key, owner integer not null references people (id))`
  })

  beforeAll(() => Effect.runPromise(setUp.pipe(Scope.provide(scope))))
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  beforeEach(() =>
    Effect.runPromise(Effect.andThen(sql`delete from pets`, sql`delete from people`))
  )

  /** A test over the client of the suite. */
  const check = (title: string, test: () => Effect.Effect<unknown, unknown, Scope.Scope>) =>
    it(title, () => Effect.runPromise(Effect.scoped(Effect.suspend(test))))

  type Person = { readonly age?: number; readonly id: number; readonly name: string }
  const row = (person: Person): Record<string, unknown> => ({ age: null, ...person })
  const insert = (first: Person, ...others: ReadonlyArray<Person>) =>
    sql`insert into people ${sql.insert([row(first), ...others.map(row)])}`
  const names = () =>
    Effect.map(sql<{ name: string }>`select name from people order by id`, (rows) =>
      rows.map(({ name }) => name)
    )

  check("values come back as they were sent, and are never SQL", () =>
    Effect.gen(function* () {
      const text = `it's a "test" \`with\` \\ backslash; drop table people -- 🦆 $1 ? %`
      yield* insert({ age: -7, id: 1, name: text })
      const rows = yield* sql`select name, age from people where name = ${text}`
      expect(rows).toEqual([{ age: -7, name: text }])
    })
  )

  check("null, dates, bytes and booleans keep their meaning", () =>
    Effect.gen(function* () {
      const [date, bytes] =
        backend.kind === "mysql" ? ["datetime(3)", "blob"] : ["timestamptz", "bytea"]
      yield* sql`create table kinds (at ${sql.literal(date!)}, raw ${sql.literal(bytes!)}, yes boolean, nothing text)`
      const at = new Date("2024-02-29T23:59:58.123Z")
      const raw = new Uint8Array([0, 1, 39, 92, 255])
      yield* sql`insert into kinds ${sql.insert({ at, nothing: null, raw, yes: true })}`
      const [row] = yield* sql<Record<string, unknown>>`select * from kinds`
      expect(row!["at"]).toEqual(at)
      expect(new Uint8Array(row!["raw"] as Uint8Array)).toEqual(raw)
      expect(Boolean(row!["yes"])).toBe(true)
      expect(row!["nothing"]).toBeNull()
    })
  )

  check("an identifier is quoted, whatever it contains", () =>
    Effect.gen(function* () {
      const odd = 'a"b`c d'
      yield* sql`create table ${sql(odd)} (${sql("select")} integer)`
      yield* sql`insert into ${sql(odd)} ${sql.insert({ select: 5 })}`
      expect(yield* sql`select ${sql("select")} from ${sql(odd)}`).toEqual([{ select: 5 }])
    })
  )

  check("the helpers insert many rows, select a list, and update", () =>
    Effect.gen(function* () {
      yield* insert({ id: 1, name: "a" }, { id: 2, name: "b" }, { id: 3, name: "c" })
      yield* sql`update people set ${sql.update({ age: 9, id: 3, name: "C" }, ["id"])} where id = ${3}`
      expect(yield* sql`select * from people where id in ${sql.in([2, 3, 4])} order by id`).toEqual(
        [
          { age: null, id: 2, name: "b" },
          { age: 9, id: 3, name: "C" }
        ]
      )
      expect(yield* sql`select * from people where id in ${sql.in([])}`).toEqual([])
      const either = sql.or([sql`name = ${"a"}`, sql.and([sql`age = ${9}`, sql`id > ${2}`])])
      expect(yield* sql`select id from people where ${either} order by id`).toEqual([
        { id: 1 },
        { id: 3 }
      ])
    })
  )

  check("many rows are updated at once from values", () =>
    Effect.gen(function* () {
      yield* insert({ id: 1, name: "a" }, { id: 2, name: "b" })
      const data = sql.updateValues(
        [
          { id: 1, name: "x" },
          { id: 2, name: "y" }
        ],
        "data"
      )
      yield* sql.onDialectOrElse({
        mysql: () =>
          sql`update people, ${data} set people.name = data.name where people.id = data.id`,
        orElse: () =>
          sql`update people set name = data.name from ${data} where people.id = data.id::integer`
      })
      expect(yield* names()).toEqual(["x", "y"])
    })
  )

  check("rows come as values too, and unprepared", () =>
    Effect.gen(function* () {
      yield* insert({ id: 1, name: "a" })
      expect(yield* sql`select id, name from people`.values).toEqual([[1, "a"]])
      expect(yield* sql`select id, name from people`.valuesUnprepared).toEqual([[1, "a"]])
      expect(yield* sql`select id from people where name = ${"a"}`.unprepared).toEqual([{ id: 1 }])
    })
  )

  check("a transaction commits what succeeds", () =>
    Effect.gen(function* () {
      yield* sql.withTransaction(insert({ id: 1, name: "a" }))
      expect(yield* names()).toEqual(["a"])
    })
  )

  const wrongEnds: ReadonlyArray<[string, Effect.Effect<never, string>]> = [
    ["a failure", Effect.fail("no")],
    ["a defect", Effect.die("no")],
    ["an interruption", Effect.interrupt]
  ]
  for (const [name, end] of wrongEnds) {
    check(`a transaction that ends in ${name} leaves nothing`, () =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(
          sql.withTransaction(Effect.andThen(insert({ id: 1, name: "a" }), end))
        )
        expect(Exit.isFailure(exit)).toBe(true)
        expect(yield* names()).toEqual([])
      })
    )
  }

  check("a nested transaction is a savepoint: its failure undoes its own part only", () =>
    Effect.gen(function* () {
      yield* sql.withTransaction(
        Effect.gen(function* () {
          yield* insert({ id: 1, name: "a" })
          const reason = yield* reasonOf(
            sql.withTransaction(
              Effect.andThen(insert({ id: 2, name: "b" }), insert({ id: 3, name: "a" }))
            )
          )
          expect(reason._tag).toBe("UniqueViolation")
          yield* sql.withTransaction(insert({ id: 4, name: "d" }))
        })
      )
      expect(yield* names()).toEqual(["a", "d"])
    })
  )

  check("concurrent nested transactions are savepoints one after another", () =>
    Effect.gen(function* () {
      yield* sql.withTransaction(
        Effect.forEach(
          Array.from({ length: 10 }, (_, id) => id),
          (id) => {
            const both = Effect.andThen(insert({ id, name: `p${id}` }), Effect.yieldNow)
            const outcome = id % 2 === 0 ? both : Effect.andThen(both, Effect.fail("odd"))
            return Effect.ignore(sql.withTransaction(outcome))
          },
          { concurrency: "unbounded", discard: true }
        )
      )
      expect(yield* names()).toEqual(["p0", "p2", "p4", "p6", "p8"])
    })
  )

  check("fifty concurrent transactions do not mix", () =>
    Effect.gen(function* () {
      const exits = yield* Effect.forEach(
        Array.from({ length: 50 }, (_, id) => id),
        (id) =>
          Effect.exit(
            sql.withTransaction(
              Effect.gen(function* () {
                yield* insert({ id: id * 2, name: `first ${id}` })
                yield* Effect.yieldNow
                yield* insert({ id: id * 2 + 1, name: `second ${id}` })
                if (id % 5 === 0) yield* Effect.fail("every fifth")
              })
            )
          ),
        { concurrency: "unbounded" }
      )
      expect(exits.filter(Exit.isSuccess)).toHaveLength(40)
      const rows = yield* names()
      expect(rows).toHaveLength(80)
      for (let id = 0; id < 50; id++) {
        const both = rows.includes(`first ${id}`) && rows.includes(`second ${id}`)
        expect([id, both]).toEqual([id, id % 5 !== 0])
      }
    })
  )

  check("afterCommit runs after the outermost commit, and not after a rollback", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const note = (text: string) => sql.afterCommit(Effect.sync(() => void seen.push(text)))
      yield* sql.withTransaction(
        Effect.andThen(
          sql.withTransaction(note("inner")),
          Effect.sync(() => seen.push("body"))
        )
      )
      yield* Effect.ignore(sql.withTransaction(Effect.andThen(note("lost"), Effect.fail("no"))))
      expect(seen).toEqual(["body", "inner"])
    })
  )

  check("a transaction may begin with a statement of its own", () =>
    Effect.gen(function* () {
      const begin = backend.kind === "mysql" ? "START TRANSACTION READ ONLY" : "BEGIN READ ONLY"
      const exit = yield* Effect.exit(
        sql
          .withTransaction(insert({ id: 1, name: "a" }))
          .pipe(Effect.provideService(SqlClient.BeginTransaction, begin))
      )
      expect(Exit.isFailure(exit)).toBe(true)
      yield* insert({ id: 1, name: "a" })
    })
  )

  check("errors have the reason a program can act on", () =>
    Effect.gen(function* () {
      yield* insert({ id: 1, name: "a" })
      const unique = yield* reasonOf(insert({ id: 2, name: "a" }))
      expect(unique).toMatchObject({ _tag: "UniqueViolation", constraint: "people_name" })
      const foreign = yield* reasonOf(sql`insert into pets ${sql.insert({ id: 1, owner: 77 })}`)
      expect(foreign._tag).toBe("ConstraintError")
      const empty = yield* reasonOf(sql`insert into people ${sql.insert({ id: 3, name: null })}`)
      expect(empty._tag).toBe("ConstraintError")
      expect((yield* reasonOf(sql`selec 1`))._tag).toBe("SqlSyntaxError")
      expect((yield* reasonOf(sql`select * from nowhere`))._tag).toBe("SqlSyntaxError")
    })
  )

  check("an error says what the database said", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(sql`select * from nowhere`)
      expect(error.message).toContain("nowhere")
    })
  )

  check("a stream gives its rows in order, and may be left early", () =>
    Effect.gen(function* () {
      const digits = sql`(select 0 as n union all select 1 union all select 2 union all select 3 union all select 4 union all select 5 union all select 6 union all select 7 union all select 8 union all select 9)`
      const numbers = sql<{
        n: number
      }>`select a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n as n from ${digits} a, ${digits} b, ${digits} c, ${digits} d, ${sql`(select 0 as n union all select 1)`} e order by n`
      const ids = Stream.map(numbers.stream, ({ n }) => Number(n))
      expect(yield* Stream.runCount(ids)).toBe(20_000)
      expect(yield* Stream.runCollect(Stream.take(ids, 3))).toEqual([0, 1, 2])
      const slow = ids.pipe(
        Stream.mapEffect((n) => Effect.as(n % 1000 === 0 ? Effect.sleep(1) : Effect.void, n)),
        Stream.runFold(
          () => ({ last: -1, ordered: true }),
          (state, n) => ({ last: n, ordered: state.ordered && n === state.last + 1 })
        )
      )
      expect(yield* slow).toEqual({ last: 19_999, ordered: true })
      expect(yield* sql`select 1 as one`).toEqual([{ one: 1 }])
    })
  )

  check("a stream that cannot run fails with a typed error", () =>
    Effect.gen(function* () {
      expect((yield* reasonOf(Stream.runDrain(sql`select * from nowhere`.stream)))._tag).toBe(
        "SqlSyntaxError"
      )
    })
  )

  check("a repository of Effect's SqlModel inserts, reads, updates and deletes", () =>
    Effect.gen(function* () {
      const auto = backend.kind === "mysql" ? "auto_increment" : "generated always as identity"
      yield* sql`create table notes (id integer ${sql.literal(auto)} primary key, body varchar(100) not null)`
      const notes = yield* SqlModel.makeRepository(Note, {
        idColumn: "id",
        spanPrefix: "Notes",
        tableName: "notes"
      }).pipe(Effect.provideService(SqlClient.SqlClient, sql))
      const note = yield* notes.insert({ body: "first" })
      expect(note).toMatchObject({ body: "first", id: 1 })
      expect(yield* notes.update({ body: "second", id: note.id })).toMatchObject({ body: "second" })
      expect((yield* notes.findById(note.id)).body).toBe("second")
      yield* notes.delete(note.id)
      expect(yield* sql`select * from notes`).toEqual([])
    })
  )

  check("a wait for a connection ends with a typed error, and the pool goes on", () =>
    Effect.gen(function* () {
      const small = yield* open(url, { acquireTimeout: "100ms", maxConnections: 2 })
      const size = backend.kind === "pglite" ? 1 : 2
      const release = yield* Deferred.make<void>()
      const started = yield* Effect.forEach(Array.from({ length: size }), () =>
        Deferred.make<void>()
      )
      const holders = yield* Effect.forEach(started, (taken) =>
        Effect.forkChild(
          small.withTransaction(
            Effect.andThen(Deferred.succeed(taken, undefined), Deferred.await(release))
          )
        )
      )
      yield* Effect.forEach(started, Deferred.await)
      for (const attempt of [small`select 1`, small.withTransaction(Effect.void)]) {
        const reason = yield* reasonOf(attempt)
        expect(reason).toMatchObject({ _tag: "ConnectionError", operation: "acquire" })
        expect(reason.isRetryable).toBe(true)
        expect(reason.message).toContain("database.acquireTimeout")
      }
      yield* Deferred.succeed(release, undefined)
      yield* Effect.forEach(holders, Fiber.join)
      expect(yield* small`select 1 as one`).toEqual([{ one: 1 }])
    })
  )

  check("a wait that is interrupted takes no connection with it", () =>
    Effect.gen(function* () {
      const one = yield* open(url, { maxConnections: 1 })
      for (let round = 0; round < 20; round++) {
        const release = yield* Deferred.make<void>()
        const taken = yield* Deferred.make<void>()
        const holder = yield* Effect.forkChild(
          one.withTransaction(
            Effect.andThen(Deferred.succeed(taken, undefined), Deferred.await(release))
          )
        )
        yield* Deferred.await(taken)
        const waiting = yield* Effect.forkChild(one`select 1`, { startImmediately: true })
        yield* Effect.forEach(
          [Deferred.succeed(release, undefined), Fiber.interrupt(waiting)],
          (e) => e,
          {
            concurrency: 2
          }
        )
        yield* Fiber.join(holder)
      }
      expect(yield* one`select 1 as one`).toEqual([{ one: 1 }])
    })
  )

  check("an interrupted statement does not end the transaction around it", () =>
    Effect.gen(function* () {
      yield* sql.withTransaction(
        Effect.gen(function* () {
          yield* insert({ id: 1, name: "a" })
          const fiber = yield* Effect.forkChild(
            sql.withTransaction(sql`select count(*) from people a, people b`),
            {
              startImmediately: true
            }
          )
          yield* Fiber.interrupt(fiber)
          yield* insert({ id: 2, name: "b" })
        })
      )
      expect(yield* names()).toEqual(["a", "b"])
    })
  )
}

class Note extends Model.Class<Note>("Note")({
  body: Schema.String,
  id: Schema.Int.pipe(Model.FieldExcept(["insert"]))
}) {}
