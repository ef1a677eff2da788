/** The actions of migrations. */
import { existsSync } from "node:fs"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Action from "../../../Plugin/Action.ts"
import { AppRuntime } from "../../../Plugin/AppRuntime.ts"
import { connect, type ConnectError } from "../Connect.ts"
import { DatabaseConfig, type Settings, targetOf } from "../DatabaseConfig.ts"
import { MigrationError } from "./MigrationError.ts"
import * as Migrations from "./Migrations.ts"

/**
 * Applies the pending migrations and returns their names. The plugin also applies
 * them when it starts, unless `database.runMigrations` is false. Fails with
 * `MigrationError`, as `Database.runMigrations` does, also if the database cannot be reached.
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
 * Records the migrations up to and with the file `through` as applied, without running
 * them, and returns the names of those that were not recorded before. For a database that
 * has their tables already. Fails with `MigrationError` if there is no such file.
 *
 * @example
 * ```ts
 * import * as Database from "flange/Database"
 *
 * export const adopt = Database.baselineMigrations.call({ through: "0001_items.sql" })
 * ```
 */
export const baseline = Action.make("database.migrate.baseline", {
  error: MigrationError,
  payload: Schema.Struct({ through: Schema.NonEmptyString }),
  success: Schema.Struct({ recorded: Schema.Array(Schema.String) })
})

/**
 * Records the current checksums and names of applied migrations whose files were edited or
 * renamed, and returns the names. Runs no migration, so call it only if the database is
 * right.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Database from "flange/Database"
 *
 * export const accept = Effect.map(Database.repairMigrations.call(), ({ repaired }) => repaired)
 * ```
 */
export const repair = Action.make("database.migrate.repair", {
  error: MigrationError,
  success: Schema.Struct({ repaired: Schema.Array(Schema.String) })
})

/**
 * Returns the state of every migration that has a file or was applied, in the order of
 * their numbers: `applied`, `changed` since it was applied, `late` with a number below an
 * applied one, `missing` its file, or `pending`. `appliedAt` is null if it was not applied.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Database from "flange/Database"
 *
 * export const isDone = Effect.map(Database.migrationStatus.call(), (all) =>
 *   all.every(({ state }) => state === "applied")
 * )
 * ```
 */
export const status = Action.make("database.migrate.status", {
  error: MigrationError,
  success: Schema.Array(
    Schema.Struct({
      appliedAt: Schema.NullOr(Schema.Date),
      name: Schema.String,
      state: Schema.Literals(["applied", "changed", "late", "missing", "pending"])
    })
  )
})

/** The directory of migrations in a bundle. `flange build` declares it if it found the usual one. */
declare const FLANGE_MIGRATIONS: URL | undefined

/** The directory that is used if the configuration names none. */
const usual = (): string | URL | undefined => {
  if (typeof FLANGE_MIGRATIONS !== "undefined") return FLANGE_MIGRATIONS
  return existsSync("migrations") ? "migrations" : undefined
}

/**
 * Runs an operation of migrations. On a server it opens a separate pool: one connection
 * holds the lock, and `database.statementTimeout` does not apply.
 */
const withOptions = <A>(
  settings: Settings,
  operation: (
    options: Migrations.Options
  ) => Effect.Effect<A, MigrationError | SqlError, SqlClient.SqlClient>
): Effect.Effect<A, ConnectError | MigrationError, SqlClient.SqlClient> => {
  const run = Effect.flatMap(Effect.serviceOption(AppRuntime), (runtime) => {
    const plugins = Option.match(runtime, {
      onNone: () => [],
      onSome: ({ description }) => description.plugins
    })
    const ofPlugins = plugins.flatMap(({ migrations }) =>
      migrations === undefined ? [] : [new URL(migrations)]
    )
    const own = settings.migrations ?? usual()
    return operation({
      allow: settings.allowMigrations,
      directories: own === undefined ? ofPlugins : [own, ...ofPlugins]
    })
  })
  if (targetOf(settings)._tag === "Embedded") return run
  return Effect.scoped(
    Effect.flatMap(
      connect(
        {
          ...settings,
          maxConnections: 3,
          minConnections: 0,
          statementTimeout: Duration.infinity
        },
        { migrates: true }
      ),
      (sql) => Effect.provideService(run, SqlClient.SqlClient, sql)
    )
  )
}

/** Applies the pending migrations of an app that starts. */
export const runAll = (settings: Settings) => withOptions(settings, Migrations.run)

/** Runs an operation of an action, and turns all its errors into `MigrationError`. */
const acted = <A>(
  operation: (
    options: Migrations.Options
  ) => Effect.Effect<A, MigrationError | SqlError, SqlClient.SqlClient>
) =>
  Effect.flatMap(DatabaseConfig, (settings) => withOptions(settings, operation)).pipe(
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

/** The implementations of the actions, for the plugin. */
export const implementations = [
  Action.implement(baseline, ({ through }) =>
    Effect.map(
      acted((options) => Migrations.baseline({ ...options, through })),
      (recorded) => ({ recorded })
    )
  ),
  Action.implement(migrate, () => Effect.map(acted(Migrations.run), (applied) => ({ applied }))),
  Action.implement(repair, () =>
    Effect.map(acted(Migrations.repair), (repaired) => ({ repaired }))
  ),
  Action.implement(status, () =>
    Effect.map(acted(Migrations.status), (all) =>
      all.map(({ applied, name, state }) => ({
        appliedAt: applied?.appliedAt ?? null,
        name,
        state
      }))
    )
  )
] as const
