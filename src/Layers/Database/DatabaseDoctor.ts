/** The checks of the database for `flange doctor`. */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import * as Doctor from "../../Plugin/Doctor.ts"
import { DatabaseConfig, targetOf } from "./DatabaseConfig.ts"
import * as MigrationActions from "./Migration/MigrationActions.ts"

/** Reads one value of the server, by the query of its dialect. */
const read = (query: { readonly mysql: string; readonly pg: string }) =>
  SqlClient.SqlClient.use((sql) =>
    Effect.map(
      sql.unsafe<{ readonly value: unknown }>(
        sql.onDialectOrElse({ mysql: () => query.mysql, orElse: () => query.pg })
      ),
      ([row]) => String(row!.value)
    )
  )

/** The difference of two clocks above which tokens and times stop fitting, in milliseconds. */
const most = 1000

const clock = Effect.gen(function* () {
  const settings = yield* DatabaseConfig
  if (targetOf(settings)._tag === "Embedded") {
    return Doctor.skipped("The database runs in this process and has its clock.")
  }
  const before = Date.now()
  const theirs = yield* read({
    mysql: "select unix_timestamp(now(3)) * 1000 as value",
    pg: "select extract(epoch from clock_timestamp()) * 1000 as value"
  })
  const after = Date.now()
  const skew = Math.round(Number(theirs) - (before + after) / 2)
  // The server may have read its clock at any time of the round trip.
  return Math.abs(skew) <= most + (after - before) / 2
    ? Doctor.ok("The clocks of the database and of this machine agree within a second.")
    : Doctor.warning(
        `The clock of the database is ${Math.abs(skew)} ms ${skew > 0 ? "ahead of" : "behind"} that of this machine.`,
        "Keep both right with NTP: timedatectl set-ntp true"
      )
})

const connections = Effect.gen(function* () {
  const settings = yield* DatabaseConfig
  if (targetOf(settings)._tag === "Embedded") {
    return Doctor.skipped("The database runs in this process and has one connection.")
  }
  const own = settings.maxConnections
  const theirs = Number(
    yield* read({
      mysql: "select @@max_connections as value",
      pg: "select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as value"
    })
  )
  return own <= theirs
    ? Doctor.ok(
        `The pool has ${own} connections of ${theirs} of the server: enough for ${Math.floor(theirs / own)} processes.`
      )
    : Doctor.failed(
        `The pool may open ${own} connections, and the server takes ${theirs}.`,
        `Set database.maxConnections to ${theirs} or less for all processes together, or raise max_connections of the server`
      )
})

const migrations = Effect.gen(function* () {
  const { allowMigrations } = yield* DatabaseConfig
  const all = yield* MigrationActions.status.call()
  const names = (...states: ReadonlyArray<string>) =>
    all.filter(({ state }) => states.includes(state)).map(({ name }) => name)
  const changed = names("changed")
  if (changed.length > 0) {
    return Doctor.failed(
      `Migrations changed after they were applied: ${changed.join(", ")}.`,
      "Restore the files. If the database is right without them: flange migrate repair"
    )
  }
  const refused = (["late", "missing"] as const).filter((state) => !allowMigrations.includes(state))
  const wrong = names(...refused)
  if (wrong.length > 0) {
    return Doctor.failed(
      `Migrations are late or have no file: ${wrong.join(", ")}.`,
      `List them: flange migrate status. If it is meant, set database.allowMigrations to ${JSON.stringify(refused)}`
    )
  }
  const pending = names("late", "pending")
  if (pending.length === 0)
    return Doctor.ok(`${all.length} of ${all.length} migrations are applied.`)
  return Doctor.warning(
    `${pending.length} migrations are pending: ${pending.join(", ")}.`,
    "The start applies them unless database.runMigrations is false. Then run: flange migrate run"
  )
})

const timeZone = Effect.map(
  read({
    mysql: "select @@session.time_zone as value",
    pg: "select current_setting('TimeZone') as value"
  }),
  (zone) =>
    ["+00:00", "Etc/UTC", "GMT", "UTC"].includes(zone)
      ? Doctor.ok("Sessions of the database are in UTC.")
      : Doctor.failed(
          `Sessions of the database are in the time zone ${zone}, and times without a zone are read as UTC.`,
          "A pooler between may drop the setting: let it pass the start parameter TimeZone"
        )
)

const version = Effect.map(
  read({ mysql: "select version() as value", pg: "select version() as value" }),
  (text) => Doctor.ok(`The server is ${text.split(" on ")[0]}.`)
)

/** The checks. They run while nothing else uses the database. */
export const checks = { clock, connections, migrations, timeZone, version }
