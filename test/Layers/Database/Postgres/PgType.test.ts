import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import { App, Plugin } from "flange"
import * as Database from "flange/Database"
import { TestApp } from "flange/Testing"
import { expect, it } from "vitest"
import { type Backend, onEach, pglite, postgres } from "../backends.ts"

const Types = Plugin.make("app:types", {
  contributes: [
    Database.pgType("int4range", { fromText: (text) => text.slice(1, -1).split(",").map(Number) }),
    Database.pgType("macaddr", {
      fromBytes: (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("-")
    }),
    Database.pgType("point", {
      fromText: () => {
        throw new Error("no points today")
      }
    })
  ]
})

const withApp = (
  backend: Backend,
  test: (sql: SqlClient.SqlClient) => Effect.Effect<unknown, unknown, Scope.Scope>
) =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const app = yield* TestApp.make(App.make("shop", [Database.plugin, Types]), {
          config: { database: { runMigrations: false, url: yield* backend.fresh } }
        })
        yield* test(yield* app.run(SqlClient.SqlClient))
      })
    )
  )

onEach([pglite, postgres], "A type with a decoder", (backend) => {
  it("is what the decoder makes of its text or its bytes", () =>
    withApp(backend, (sql) =>
      Effect.gen(function* () {
        const query = sql`select int4range(1, 5) as span, macaddr '08:00:2b:01:02:03' as mac,
          array[macaddr '08:00:2b:01:02:03', null] as macs, array[int4range(1, 5)] as spans`
        const row = {
          mac: "08-00-2b-01-02-03",
          macs: ["08-00-2b-01-02-03", null],
          span: [1, 5],
          spans: '{"[1,5)"}'
        }
        expect(yield* query).toEqual([row])
        expect(yield* query.values).toEqual([[row.span, row.mac, row.macs, row.spans]])
        const macs = sql`select macaddr '08:00:2b:01:02:03' as mac`
        expect(yield* Stream.runCollect(macs.stream)).toEqual([{ mac: row.mac }])
      })
    ))

  it("fails the query if the decoder throws, and the session goes on", () =>
    withApp(backend, (sql) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(sql`select point(1, 2) as at`)
        expect(error.message).toContain("no points today")
        expect(yield* sql`select 1 as one`).toEqual([{ one: 1 }])
      })
    ))

  it("may be made after the first query, also in a transaction that rolls back", () =>
    withApp(backend, (sql) =>
      Effect.gen(function* () {
        yield* sql`select int4range(1, 5) as span`
        const making = Effect.gen(function* () {
          yield* sql`create type mood as enum ('happy', 'sad')`
          expect(yield* sql`select array['sad'::mood] as moods`).toEqual([{ moods: ["sad"] }])
          return yield* Effect.fail("no")
        })
        yield* Effect.ignore(sql.withTransaction(making))
        yield* sql`create type mood as enum ('sad', 'angry')`
        expect(yield* sql`select array['angry'::mood] as moods`).toEqual([{ moods: ["angry"] }])
      })
    ))

  it("is converted for more rows than one query can convert", () =>
    withApp(backend, (sql) =>
      Effect.gen(function* () {
        const rows = yield* sql<{ span: unknown }>`
          select int4range(n, n + 1) as span from generate_series(1, 2500) n`
        expect(rows.map(({ span }) => span)).toEqual(
          Array.from({ length: 2500 }, (_, index) => [index + 1, index + 2])
        )
      })
    ))

  it("of no name is refused with its column, not read as garbage", () =>
    withApp(backend, (sql) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(sql`select row(1, 'a') as pair`)
        expect(error.message).toContain('"pair" has the type pg_catalog.record')
        expect(yield* sql`select row(1, 'a')::text as pair`).toEqual([{ pair: "(1,a)" }])
      })
    ))
})
