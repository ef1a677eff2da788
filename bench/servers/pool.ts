// One endpoint whose query takes 5 ms of a connection, on a pool of 4. DATABASE_URL names the
// database, VARIANT what answers: fastify or flange, each also with a transaction around the query.
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import fastify from "fastify"
import { App, Plugin, Route } from "flange"
import * as Database from "flange/Database"
import { Pool, type PoolClient } from "pg"
import { host, port } from "./support/Arguments.ts"

const url = process.env["DATABASE_URL"]!
const variant = process.env["VARIANT"] ?? ""
const isTransactional = variant.endsWith("transactional")
const connections = 4

const Row = Schema.Struct({ id: Schema.Int })

const runFlange = () => {
  const api = HttpApiGroup.make("waits").add(
    HttpApiEndpoint.get("wait", "/wait", { success: Row }).annotate(
      Database.Transactional,
      isTransactional
    )
  )
  const Waits = Plugin.make("bench:waits", {
    requires: [SqlClient],
    routes: [
      Route.public(api, (handlers) =>
        Effect.map(SqlClient, (sql) =>
          handlers.handleAll({
            wait: () =>
              Effect.orDie(
                Effect.map(
                  sql<typeof Row.Type>`select ${1}::integer as id, pg_sleep(0.005)::text`,
                  (rows) => rows[0]!
                )
              )
          })
        )
      )
    ]
  })
  const database = { acquireTimeout: "1 minute", maxConnections: connections, runMigrations: false }
  App.run(
    App.make("bench", [Database.plugin, Waits], {
      config: { overrides: { database: { ...database, url }, server: { host, port } } }
    })
  )
}

const runFastify = async () => {
  const pool = new Pool({ connectionString: url, max: connections })
  const app = fastify()
  const query = (client: Pool | PoolClient) =>
    client.query<{ id: number }>("select $1::integer as id, pg_sleep(0.005)::text", [1])
  app.get("/wait", async () => {
    if (!isTransactional) return { id: (await query(pool)).rows[0]!.id }
    const client = await pool.connect()
    try {
      await client.query("BEGIN READ ONLY")
      const { rows } = await query(client)
      await client.query("COMMIT")
      return { id: rows[0]!.id }
    } finally {
      client.release()
    }
  })
  await app.listen({ host, port })
}

if (variant.startsWith("flange")) runFlange()
else await runFastify()
