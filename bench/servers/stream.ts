// Streams rows of a database as lines of JSON. DATABASE_URL names the database, ROWS how many rows.
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import { App, Plugin, Route } from "flange"
import * as Database from "flange/Database"
import { host, port } from "./support/Arguments.ts"

const rows = Number(process.env["ROWS"])
const url = process.env["DATABASE_URL"]!

const Row = Schema.Struct({ name: Schema.String })
const Memory = Schema.Struct({ heap: Schema.Finite, resident: Schema.Finite })

const api = HttpApiGroup.make("rows").add(
  HttpApiEndpoint.get("memory", "/memory", { success: Memory }),
  HttpApiEndpoint.get("rows", "/rows", { success: HttpApiSchema.StreamNdjson({ schema: Row }) })
)

const digit = `(select 0 as n${[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => ` union all select ${n}`).join("")})`
const digits = ["a", "b", "c", "d", "e", "f"]
const sum = digits.map((name, i) => `${name}.n * ${10 ** i}`).join(" + ")
const query = `select concat('row number ', ${sum}) as name from ${digits
  .map((name) => `${digit} ${name}`)
  .join(", ")} limit ${rows}`

let heap = 0
setInterval(() => (heap = Math.max(heap, process.memoryUsage().heapUsed)), 20).unref()

const Rows = Plugin.make("bench:rows", {
  requires: [SqlClient],
  routes: [
    Route.public(api, (handlers) =>
      Effect.map(SqlClient, (sql) =>
        handlers.handleAll({
          memory: () =>
            Effect.sync(() => ({
              heap: heap / 2 ** 20,
              resident: process.resourceUsage().maxRSS / 1024
            })),
          rows: () => Effect.succeed(sql.unsafe<typeof Row.Type>(query).stream)
        })
      )
    )
  ]
})

App.run(
  App.make("bench", [Database.plugin, Rows], {
    config: { overrides: { database: { runMigrations: false, url }, server: { host, port } } }
  })
)
