/** An app whose request writes a row and never ends. Run by Killed.test.ts. */
import * as Effect from "effect/Effect"
import { SqlClient } from "effect/sql/SqlClient"
import { App, Plugin } from "flange"
import { appOf, Script } from "./Rig.ts"

const script = new Script()
const table = process.env["TABLE"]!

script.read = Effect.orDie(SqlClient.use((sql) => sql`select who from ${sql(table)}`))
script.write = SqlClient.use((sql) =>
  sql`insert into ${sql(table)} (id, who) values (1, 'lost')`.pipe(
    Effect.orDie,
    Effect.andThen(Effect.sync(() => console.log("inserted"))),
    Effect.andThen(Effect.never)
  )
)

const announce = Plugin.make("app:announce", {
  drain: SqlClient.use((sql) => sql`drop table ${sql(table)}`).pipe(Effect.asVoid),
  ready: ({ address }) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      yield* sql`create table if not exists ${sql(table)} (id integer, who varchar(80))`
      yield* Effect.sync(() => console.log(`listening ${address}`))
    }),
  requires: [SqlClient]
})

const { plugins } = appOf(script, { endpoint: true })
App.run({ ...App.make("killed", []), plugins: [...plugins, announce] })
