// One endpoint that sends one query: SELECT of a row by its key.
// DATABASE_URL names the database, VARIANT what answers: plain, flange or transactional.
import { createServer } from "node:http"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import { App, Plugin, Route } from "flange"
import * as Database from "flange/Database"
import { host, port } from "./support/Arguments.ts"

const url = process.env["DATABASE_URL"]!
const maxConnections = 16

const Row = Schema.Struct({ id: Schema.Int, name: Schema.String })

const read = (sql: SqlClient) =>
  Effect.map(
    sql<
      typeof Row.Type
    >`select id, name from (values (1, 'Ada')) as people (id, name) where id = ${1}`,
    (rows) => rows[0]!
  )

/** sql-pg behind node:http, and nothing else. */
const plain = Effect.gen(function* () {
  const sql = yield* SqlClient
  const run = Effect.runForkWith(yield* Effect.context<SqlClient>())
  createServer((_request, response) => {
    run(
      Effect.map(read(sql), (row) => {
        response.setHeader("content-type", "application/json")
        response.end(JSON.stringify(row))
      })
    )
  }).listen(port, host)
  return yield* Effect.never
}).pipe(Effect.provide(PgClient.layer({ maxConnections, url: Redacted.make(url) })))

/** The same in an app of Flange. */
const flange = (transactional: boolean) => {
  const api = HttpApiGroup.make("people").add(
    HttpApiEndpoint.get("read", "/one", { success: Row }).annotate(
      Database.Transactional,
      transactional
    )
  )
  const People = Plugin.make("bench:people", {
    requires: [SqlClient],
    routes: [
      Route.public(api, (handlers) =>
        Effect.map(SqlClient, (sql) => handlers.handleAll({ read: () => Effect.orDie(read(sql)) }))
      )
    ]
  })
  return App.make("bench", [Database.plugin, People], {
    config: {
      overrides: { database: { maxConnections, runMigrations: false, url }, server: { host, port } }
    }
  })
}

switch (process.env["VARIANT"]) {
  case "flange":
  case "transactional":
    App.run(flange(process.env["VARIANT"] === "transactional"))
    break
  case "plain":
    Effect.runFork(plain)
    break
  default:
    throw new Error("VARIANT: write plain, flange or transactional")
}
