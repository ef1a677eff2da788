// Every SQL type makes the round trip, in a process and a database of another time zone.
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { all, type Backend, onEach, open, otherTimeZone, postgres } from "./backends.ts"
import * as sqlTypes from "./sqlTypes.ts"

const zone = process.env["TZ"]
beforeAll(() => void (process.env["TZ"] = "Asia/Tokyo"))
afterAll(() => {
  if (zone === undefined) delete process.env["TZ"]
  else process.env["TZ"] = zone
})

/** A `Buffer` is a `Uint8Array`. */
const plain = (value: unknown): unknown =>
  value instanceof Uint8Array ? new Uint8Array(value) : value

const typesOf = (backend: Backend) =>
  backend.kind === "mysql" ? sqlTypes.mysql : sqlTypes.postgres

/** The name in `create table`: the words in parentheses after a space are for the guide. */
const nameOf = (sql: string) => sql.replace(/ \((?:an?|of) .*\)$/, "")

const withClient = <A>(
  backend: Backend,
  test: (sql: SqlClient.SqlClient) => Effect.Effect<A, unknown, Scope.Scope>
) =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const sql = yield* open(yield* otherTimeZone(backend), { maxConnections: 2 })
        return yield* test(sql)
      })
    )
  )

onEach(all, "A value of SQL", (backend) => {
  const types = typesOf(backend)

  const filled = (sql: SqlClient.SqlClient) =>
    Effect.gen(function* () {
      if (backend.kind !== "mysql") {
        for (const text of sqlTypes.postgresTypes) yield* sql.unsafe(text)
      }
      const columns = types.map((type, index) => `c${index} ${nameOf(type.sql)}`)
      yield* sql.unsafe(`create table kinds (${columns.join(", ")})`)
      const row = Object.fromEntries(types.map(({ sent }, index) => [`c${index}`, sent]))
      const nothing = Object.fromEntries(types.map((_, index) => [`c${index}`, null]))
      yield* sql`insert into kinds ${sql.insert([row, nothing])}`
    })

  const values = (row: object | undefined) =>
    Object.values(row ?? {}).map((value, index) => [types[index]!.sql, plain(value)])
  const expected = types.map((type) => [type.sql, "read" in type ? type.read : type.sent])
  const nulls = types.map(({ sql }) => [sql, null])

  it("of each type is read as it was written, and null as null", () =>
    withClient(backend, (sql) =>
      Effect.gen(function* () {
        yield* filled(sql)
        for (let round = 0; round < 2; round++) {
          const rows = yield* sql`select * from kinds`
          expect(values(rows.at(0))).toEqual(expected)
          expect(values(rows.at(1))).toEqual(nulls)
        }
        expect(values((yield* sql`select * from kinds`.unprepared).at(0))).toEqual(expected)
        expect(values((yield* sql`select * from kinds`.values).at(0))).toEqual(expected)
        expect(values((yield* sql.withTransaction(sql`select * from kinds`)).at(0))).toEqual(
          expected
        )
      })
    ))

  it("has the type that the guide has for its SQL type", () => {
    for (const type of types) {
      const value = "read" in type ? type.read : type.sent
      const word = /`(bigint|boolean|Date|number|string|Uint8Array)`/.exec(type.typescript)?.[1]
      const one = type.typescript.startsWith("array") ? (value as ReadonlyArray<unknown>)[0] : value
      const actual = typeof one === "object" ? one?.constructor.name : typeof one
      if (word !== undefined) expect([type.sql, actual]).toEqual([type.sql, word])
    }
  })

  it("that the database makes for a time is in UTC", () =>
    withClient(backend, (sql) =>
      Effect.gen(function* () {
        const type = sql.literal(backend.kind === "mysql" ? "datetime(3)" : "timestamp")
        const now = sql.literal(backend.kind === "mysql" ? "current_timestamp(3)" : "now()")
        yield* sql`create table notes (at ${type} not null default ${now}, sent ${type})`
        const sent = new Date()
        yield* sql`insert into notes ${sql.insert({ sent })}`
        const [row] = yield* sql<{ at: Date; sent: Date }>`select * from notes`
        expect(row!.sent).toEqual(sent)
        expect(Math.abs(row!.at.getTime() - sent.getTime())).toBeLessThan(3_600_000)
      })
    ))

  it("of a type that has no codec comes in streams as text too, or fails by name", () =>
    withClient(backend, (sql) =>
      Effect.gen(function* () {
        yield* filled(sql)
        const known = types.flatMap(({ sql: name, typescript }, index) =>
          /range|composite|macaddr|money|point|tsvector|xml|bit\(/.test(name) &&
          backend.kind !== "mysql"
            ? []
            : [{ column: `c${index}`, name, typescript, value: expected[index]![1] }]
        )
        const list = sql.csv(known.map(({ column }) => sql`${sql(column)}`))
        const [row] = yield* Stream.runCollect(sql`select ${list} from kinds`.stream)
        expect(Object.values(row!).map(plain)).toEqual(known.map(({ value }) => value))
        if (backend.kind === "mysql") return
        const error = yield* Effect.flip(
          Stream.runDrain(sql`select int4range(1, 5) as span`.stream)
        )
        expect(error.message).toContain('"span" of type pg_catalog.int4range')
        expect(error.message).toContain("span::text")
        expect(yield* sql`select int4range(1, 5) as span`).toEqual([{ span: "[1,5)" }])
      })
    ))

  it("that counts is a bigint", () =>
    withClient(backend, (sql) =>
      Effect.gen(function* () {
        const [row] = yield* sql`select count(*) as total from (select 1) as one`
        expect(row).toEqual({ total: 1n })
        const [values] = yield* sql`select count(*) as total from (select 1) as one`.values
        expect(values).toEqual([1n])
        const [plainRow] = yield* sql`select count(*) as total from (select 1) as one`.unprepared
        expect(plainRow).toEqual({ total: 1n })
        const rows = yield* Stream.runCollect(
          sql`select count(*) as total from (select 1) as one`.stream
        )
        expect(rows).toEqual([{ total: 1n }])
      })
    ))

  it("that is a list goes into JSON as a list, empty or not", () =>
    withClient(backend, (sql) =>
      Effect.gen(function* () {
        if (backend.kind === "mysql") {
          yield* sql`create table lists (id integer, body json)`
          yield* sql`insert into lists ${sql.insert([
            { body: [], id: 1 },
            { body: [1], id: 2 }
          ])}`
          expect(yield* sql`select body from lists order by id`).toEqual([
            { body: [] },
            { body: [1] }
          ])
          return
        }
        yield* sql`create domain tags as jsonb`
        yield* sql`create table lists (id integer, body jsonb, other json, tags tags, numbers integer[], names text[])`
        const empty = { body: [], names: [], numbers: [], other: [], tags: [] }
        for (const id of [1, 2]) yield* sql`insert into lists ${sql.insert({ ...empty, id })}`
        yield* sql.withTransaction(
          sql`update lists set body = ${[]}, numbers = ${[]} where id = ${1}`
        )
        expect(yield* sql`select body, names, numbers, other, tags from lists`).toEqual([
          empty,
          empty
        ])
        expect(yield* sql`select id from lists where id = any(${[]})`).toEqual([])
        yield* sql.unsafe("-- a; comment\ninsert into lists (id, body) values (3, $1)", [[]])
        expect(yield* sql`select body from lists where id = 3`).toEqual([{ body: [] }])
        yield* sql`create procedure keep(list integer[]) language sql as ''`
        yield* sql`call keep(${[]})`
        expect(yield* sql`select array_append(${[]}, ${5}) as list`).toEqual([{ list: [5] }])
      })
    ))
})

onEach([postgres], "A type of an extension", (backend) => {
  it.each(sqlTypes.extensions)("$sql is a string", ({ extension, sent, sql: type }) =>
    withClient(backend, (sql) =>
      Effect.gen(function* () {
        yield* sql.unsafe(`create extension ${extension}`)
        yield* sql.unsafe(`create table kinds (one ${type}, many ${type}[])`)
        yield* sql`insert into kinds (one) values (${sent})`
        expect(yield* sql`select one, many from kinds`).toEqual([{ many: null, one: sent }])
      })
    )
  )
})

describe("the process of these tests", () => {
  it("has another time zone than UTC", () => expect(new Date().getTimezoneOffset()).toBe(-540))
})
