// Endpoints that stream rows over a socket, on every database.
import { once } from "node:events"
import { get, type IncomingMessage } from "node:http"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import { App, Plugin, Route } from "flange"
import * as Database from "flange/Database"
import { TestApp } from "flange/Testing"
import { all, onEach } from "./backends.ts"

const Row = Schema.Struct({ text: Schema.String })
const rows = HttpApiSchema.StreamNdjson({ schema: Row })

class RowsApi extends HttpApiGroup.make("rows").add(
  HttpApiEndpoint.get("late", "/late", { success: rows }).annotate(Database.Transactional, {
    readOnly: false
  }),
  HttpApiEndpoint.get("one", "/one", { success: Schema.Int }),
  HttpApiEndpoint.get("rows", "/rows", { success: rows })
) {}

/** 50 megabytes of rows. The database makes each row when it sends it. */
const count = 50_000

const numbers = (sql: SqlClient, n: string) => {
  const digits = sql.literal(
    `(select ${[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => `${digit} as n`).join(" union all select ")})`
  )
  return sql<
    typeof Row.Type
  >`select ${sql.literal(n)} as n, ${sql.literal("repeat('x', 1000)")} as text
    from ${digits} a, ${digits} b, ${digits} c, ${digits} d, ${sql.literal("(select 0 as n union all select 1 union all select 2 union all select 3 union all select 4)")} e`
}

const Rows = Plugin.make("test:rows", {
  requires: [SqlClient],
  routes: [
    Route.public(RowsApi, (handlers) =>
      Effect.map(SqlClient, (sql) => {
        const all = numbers(sql, "a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n").stream
        return handlers.handleAll({
          late: () =>
            Effect.as(
              Effect.orDie(sql`insert into written values ('mine')`),
              sql<typeof Row.Type>`select text from written`.stream
            ),
          one: () => Effect.as(Effect.orDie(sql`select 1`), 1),
          rows: () => Effect.succeed(all)
        })
      })
    )
  ]
})

const app = App.make("rows", [Database.plugin, Rows])

onEach(all, "a streaming endpoint", (backend) => {
  const started = Effect.gen(function* () {
    const url = yield* backend.fresh
    // One connection: whoever keeps it blocks all others.
    return yield* TestApp.listening(app, {
      config: { database: { acquireTimeout: "1 minute", maxConnections: 1, url } }
    })
  })

  const begin = (url: string, path: string) =>
    Effect.promise(async () => {
      const request = get(`${url}${path}`)
      const [response] = (await once(request, "response")) as [IncomingMessage]
      return { request, response }
    })

  const status = (url: string) => Effect.promise(async () => (await fetch(`${url}/one`)).status)

  it.live("sends every row, to a reader that takes its time", () =>
    Effect.gen(function* () {
      const { url } = yield* started
      const { response } = yield* begin(url, "/rows")
      const lines = yield* Effect.promise(async () => {
        let ends = 0
        for await (const chunk of response) {
          for (const byte of chunk as Buffer) if (byte === 10) ends++
          await new Promise((resolve) => setImmediate(resolve))
        }
        return ends
      })
      expect(lines).toBe(count)
      expect(yield* status(url)).toBe(200)
    })
  )

  it.live("frees its connection if the client leaves, again and again", () =>
    Effect.gen(function* () {
      const { url } = yield* started
      for (let round = 0; round < 3; round++) {
        const { request, response } = yield* begin(url, "/rows")
        yield* Effect.promise(() => once(response, "data"))
        request.destroy()
        expect(yield* status(url)).toBe(200)
      }
    })
  )

  it.live("reads after the commit of a transactional handler, on its own connection", () =>
    Effect.gen(function* () {
      const test = yield* started
      const sql = yield* test.run(SqlClient)
      yield* sql`create table written (text varchar(10))`
      const reply = yield* Effect.promise(async () => (await fetch(`${test.url}/late`)).text())
      expect(reply).toBe('{"text":"mine"}\n')
      expect(yield* status(test.url)).toBe(200)
    })
  )

  it.live("reads no further ahead than buffers reach", () =>
    Effect.gen(function* () {
      const test = yield* started
      const sql = yield* test.run(SqlClient)
      const mysql = backend.kind === "mysql"
      if (mysql) yield* sql`set @sent = 0`
      else yield* sql`create sequence sent`
      const stream = numbers(sql, mysql ? "(@sent := @sent + 1)" : "nextval('sent')").stream
      const taken = yield* Stream.runCount(
        stream.pipe(
          Stream.take(500),
          // The database goes on as far as it can.
          Stream.tap(() => Effect.promise(() => new Promise((resolve) => setImmediate(resolve))))
        )
      )
      expect(taken).toBe(500)
      const [sent] = yield* mysql
        ? sql<{ n: bigint }>`select @sent as n`
        : sql<{ n: bigint }>`select last_value as n from sent`
      expect(Number(sent?.n)).toBeGreaterThanOrEqual(500)
      // On servers, the kernel's buffers of the socket hold some megabytes of rows.
      expect(Number(sent?.n)).toBeLessThan(backend.kind === "pglite" ? count / 2 : count)
    })
  )
})
