// An endpoint that computes for a time and then asks the database, as the model of bench/simulation has it.
// DATABASE_URL names the database, BENCH_STEPS the work, BENCH_GUARD whether Overload is on.
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import { App, Plugin, Route } from "flange"
import * as Database from "flange/Database"
import * as Overload from "flange/Overload"
import { Ready, server } from "./effect/FlangeHost.ts"
import { steps, work } from "./support/Work.ts"

const Row = Schema.Struct({ id: Schema.Int, result: Schema.Finite })

class WorkApi extends HttpApiGroup.make("work").add(
  HttpApiEndpoint.get("work", "/work", { success: Row }).annotate(Database.Transactional, false)
) {}

const Work = Plugin.make("bench:work", {
  requires: [SqlClient],
  routes: [
    Route.public(WorkApi, (handlers) =>
      Effect.map(SqlClient, (sql) =>
        handlers.handleAll({
          work: () =>
            Effect.suspend(() => {
              const result = work(steps)
              return Effect.orDie(
                Effect.map(
                  sql<{
                    readonly id: number
                  }>`select /* flange_simulated */ ${1}::integer as id, pg_sleep(0.002)::text`,
                  (rows) => ({ id: rows[0]!.id, result })
                )
              )
            })
        })
      )
    )
  ]
})

App.run(
  App.make("bench", [Overload.plugin, Database.plugin, Work, Ready], {
    config: {
      environment: "production",
      values: {
        database: {
          maxConnections: Number(process.env["BENCH_POOL"]),
          runMigrations: false,
          url: process.env["DATABASE_URL"]!
        },
        overload: { enabled: process.env["BENCH_GUARD"] === "on" },
        server
      }
    }
  })
)
