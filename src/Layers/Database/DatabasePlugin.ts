/** The plugin `flange:database`. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Cli from "../../Plugin/Cli.ts"
import * as Doctor from "../../Plugin/Doctor.ts"
import * as HealthCheck from "../../Plugin/HealthCheck.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as PluginCheck from "../../Plugin/PluginCheck.ts"
import * as Transactions from "../../Plugin/Transactions.ts"
import { connect, type ConnectError } from "./Connect.ts"
import { DatabaseConfig, defaultsFor } from "./DatabaseConfig.ts"
import * as MigrationActions from "./Migration/MigrationActions.ts"
import type { MigrationError } from "./Migration/MigrationError.ts"
import * as RowTypes from "./RowTypes.ts"
import * as Autocommit from "./Transaction/Autocommit.ts"
import * as Observed from "./Transaction/Observed.ts"
import { annotated } from "./Transaction/Transactional.ts"

/** The errors with which the plugin may fail to start. */
export type StartError = ConnectError | MigrationError | SqlError

const open = Effect.gen(function* () {
  const settings = yield* DatabaseConfig
  const sql = yield* connect(settings)
  if (settings.runMigrations) {
    yield* Effect.provideService(MigrationActions.runAll(settings), SqlClient.SqlClient, sql)
  }
  return sql
})

/**
 * Provides the `SqlClient` of the section `database`, after its migrations have
 * been applied. Closing the scope closes every connection.
 */
export const layer = Layer.effect(SqlClient.SqlClient, open)

const ping = SqlClient.SqlClient.use((sql) => sql`select 1`)

/**
 * Provides `SqlClient` for PostgreSQL, MySQL, MariaDB or the embedded PGlite. The
 * URL selects the database, and only its driver is loaded. Without a URL it is
 * PGlite: in `.flange/data` in the environment `local`, in memory in `test`.
 *
 * - config: section `database`
 * - health: `database`, shared
 * - actions: `Database.baselineMigrations`, `Database.migrate`, `Database.migrationStatus`
 *   and `Database.repairMigrations`
 * - command: `flange migrate`
 * - checks of `flange doctor`: clock, connections, migrations, time zone and version of the server
 * - fails with `DatabaseUnreachable`, `DriverMissing`, `DataDirectoryError` or
 *   `MigrationError` in its acquire phase
 *
 * Migrations are read from the directory `database.migrations` and from the
 * directories of plugins that have `migrations`. The numbers of all directories
 * form one list.
 *
 * If an endpoint of the app writes, the app also lists `Database.transactional()` or
 * `Database.autocommit`.
 *
 * The start waits at most `database.bootWait` for the server, and takes at most an
 * hour together with the migrations.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as SqlClient from "effect/sql/SqlClient"
 * import { App, Plugin } from "flange"
 * import * as Database from "flange/Database"
 *
 * const Hello = Plugin.make("app:hello", {
 *   ready: () => SqlClient.SqlClient.use((sql) => sql`select 1`).pipe(Effect.asVoid),
 *   requires: [SqlClient.SqlClient]
 * })
 *
 * const app = App.make("shop", [Database.plugin, Hello])
 * App.describe(app).plugins.map(({ id }) => id) // => ["flange:database", "app:hello"]
 * ```
 */
export const plugin = Plugin.make("flange:database", {
  actions: MigrationActions.implementations,
  config: [DatabaseConfig],
  contributes: [
    Cli.make("migrate", { load: () => import("./Migration/MigrateCommand.ts") }),
    Doctor.make("database", {
      load: () => import("./DatabaseDoctor.ts"),
      // The doctor changes nothing, and does not wait long for a server that is away.
      overrides: { database: { bootWait: "3 seconds", runMigrations: false } }
    }),
    PluginCheck.kind.make("transactions", Autocommit.check),
    Transactions.kind.make("database", undefined, SqlClient.SqlClient.useSync(Observed.make))
  ],
  defaults: defaultsFor,
  health: { database: HealthCheck.make(ping) },
  layer,
  middleware: [annotated, RowTypes.middleware],
  provides: [SqlClient.SqlClient],
  startTimeout: Duration.hours(1)
})
