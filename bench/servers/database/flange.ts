// Flange. READS: `plain` runs the reads without a transaction, `transactional` with one.
import * as Effect from "effect/Effect"
import { SqlClient } from "effect/sql/SqlClient"
import { App, Plugin, Route } from "flange"
import * as Database from "flange/Database"
import { server } from "../effect/FlangeHost.ts"
import { maxConnections, url } from "./Contract.ts"
import { reads, ReadsApi, writes, WritesApi } from "./ItemsApi.ts"

const Reads = ReadsApi.annotate(Database.Transactional, process.env["READS"] === "transactional")

const Items = Plugin.make("bench:items", {
  requires: [SqlClient],
  routes: [
    Route.public(Reads, (handlers) =>
      Effect.map(SqlClient, (sql) => handlers.handleAll(reads(sql)))
    ),
    Route.public(WritesApi, (handlers) =>
      Effect.map(SqlClient, (sql) => handlers.handleAll(writes(sql)))
    )
  ]
})

App.run(
  App.make("bench", [Database.plugin, Database.transactional(), Items], {
    config: {
      environment: "production",
      values: { database: { maxConnections, runMigrations: false, url }, server }
    }
  })
)
