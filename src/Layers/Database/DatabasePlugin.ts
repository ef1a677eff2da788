/** The plugin `flange:database`. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Action from "../../Plugin/Action.ts"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import * as HealthCheck from "../../Plugin/HealthCheck.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import { connect, type ConnectError } from "./Connect.ts"
import { DatabaseConfig, defaultsFor, type Settings, targetOf } from "./DatabaseConfig.ts"
import { MigrationError } from "./Migration/MigrationError.ts"
import * as Migrations from "./Migration/Migrations.ts"
import { annotated } from "./Transaction/Transactional.ts"

/**
 * Applies the pending migrations and returns their names. The plugin also applies
 * them when it starts, unless `database.runMigrations` is false.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Database from "flange/Database"
 *
 * export const deploy = Effect.gen(function* () {
 *   const { applied } = yield* Database.migrate.call()
 *   yield* Effect.log(`${applied.length} migrations applied`)
 * })
 * ```
 */
export const migrate = Action.make("database.migrate", {
  error: MigrationError,
  success: Schema.Struct({ applied: Schema.Array(Schema.String) })
})

/**
 * Applies the pending migrations. On a server it opens a separate pool: one
 * connection holds the lock, and `database.statementTimeout` does not apply.
 */
const migrateWith = (
  settings: Settings
): Effect.Effect<ReadonlyArray<string>, ConnectError | MigrationError, SqlClient.SqlClient> => {
  const run = Effect.flatMap(Effect.serviceOption(AppRuntime), (runtime) => {
    const plugins = Option.match(runtime, {
      onNone: () => [],
      onSome: ({ description }) => description.plugins
    })
    const ofPlugins = plugins.flatMap(({ migrations }) =>
      migrations === undefined ? [] : [new URL(migrations)]
    )
    return Migrations.run({ directories: [settings.migrations, ...ofPlugins] })
  })
  if (targetOf(settings)._tag === "Embedded") return run
  const { statementTimeout: _, ...unlimited } = settings
  return Effect.scoped(
    Effect.flatMap(
      connect({ ...unlimited, maxConnections: 3, minConnections: 0 }, { migrates: true }),
      (sql) => Effect.provideService(run, SqlClient.SqlClient, sql)
    )
  )
}

/** The errors with which the plugin may fail to start. */
export type StartError = ConnectError | MigrationError | SqlError

const open = Effect.gen(function* () {
  const settings = yield* DatabaseConfig
  const sql = yield* connect(settings)
  if (settings.runMigrations) {
    yield* Effect.provideService(migrateWith(settings), SqlClient.SqlClient, sql)
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
 * - action: `Database.migrate`
 * - fails with `DatabaseUnreachable`, `DriverMissing`, `DataDirectoryError` or
 *   `MigrationError` in its acquire phase
 *
 * Migrations are read from the directory `database.migrations` and from the
 * directories of plugins that have `migrations`. The numbers of all directories
 * form one list.
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
  actions: [
    Action.implement(migrate, () =>
      Effect.gen(function* () {
        const applied = yield* migrateWith(yield* DatabaseConfig)
        return { applied }
      }).pipe(
        Effect.mapError((cause) =>
          cause instanceof MigrationError
            ? cause
            : new MigrationError({
                cause,
                migration: "(none)",
                problem: "failed",
                reason: cause.message
              })
        )
      )
    )
  ],
  config: [DatabaseConfig],
  defaults: defaultsFor,
  health: { database: HealthCheck.make(ping) },
  layer,
  middleware: [annotated],
  provides: [SqlClient.SqlClient],
  startTimeout: Duration.hours(1)
})
