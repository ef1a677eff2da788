/** Applies the pending migrations in order, after checking all of them. */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { MigrationError } from "./MigrationError.ts"
import * as MigrationFiles from "./MigrationFiles.ts"
import * as MigrationLock from "./MigrationLock.ts"
import * as MigrationPlan from "./MigrationPlan.ts"
import * as MigrationRun from "./MigrationRun.ts"
import * as MigrationTable from "./MigrationTable.ts"

/** The options of migrations. */
export interface Options {
  /** The problems that are allowed. Default: none. */
  readonly allow?: ReadonlyArray<typeof MigrationPlan.Allowance.Type> | undefined
  /** Directories as paths or `file:` URLs. Each of them must exist. */
  readonly directories: ReadonlyArray<string | URL>
}

interface Loaded {
  readonly files: ReadonlyArray<MigrationFiles.Migration>
  readonly planned: Effect.Effect<ReadonlyArray<MigrationPlan.Planned>, SqlError>
  readonly sql: SqlClient.SqlClient
  readonly table: MigrationTable.MigrationTable
}

const load = ({
  directories
}: Options): Effect.Effect<Loaded, MigrationError | SqlError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const { migrations: files, skipped } = yield* MigrationFiles.fromDirectories(directories)
    if (skipped.length > 0) {
      yield* Effect.logWarning(
        `Not migrations, because the name does not begin with a number: ${skipped.join(", ")}`
      )
    }
    const table = yield* MigrationTable.make(sql)
    const planned = Effect.map(table.read, (applied) => MigrationPlan.plan(files, applied))
    return { files, planned, sql, table }
  })

/** Runs an effect while no other process migrates, with a table. */
const locked = <A, E>(
  { sql, table }: Loaded,
  effect: Effect.Effect<A, E>
): Effect.Effect<A, E | SqlError> =>
  Effect.scoped(Effect.andThen(Effect.andThen(MigrationLock.acquire(sql), table.create), effect))

const orFail = <A>(result: A | MigrationError): Effect.Effect<A, MigrationError> =>
  result instanceof MigrationError ? Effect.fail(result) : Effect.succeed(result)

/**
 * Applies the pending migrations of the directories and returns their names. The
 * numbers of all directories form one list.
 *
 * Each migration runs in a session and a transaction of its own, which also records it in
 * the table `flange_migrations`. A `.sql` file opts out with the first line
 * `-- flange: no transaction`, a `.ts` file with `export const transaction = false`.
 * MySQL commits most DDL statements immediately, so a failed migration may be
 * partly applied there.
 *
 * Only one process migrates at a time: an advisory lock on PostgreSQL, `GET_LOCK`
 * on MySQL. The pool needs three connections.
 *
 * Fails with `MigrationError` before any migration runs if a directory does not exist, if
 * an applied file was edited or is missing, if a new file has a lower number than an
 * applied one, or if a file cannot be used. `allow` permits `late` and `missing` files. If a
 * migration fails, those before it stay applied. A file whose name does not begin with a
 * number is skipped with a warning.
 */
export const run = (
  options: Options
): Effect.Effect<ReadonlyArray<string>, MigrationError | SqlError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const loaded = yield* load(options)
    const { planned, sql, table } = loaded
    const pending = Effect.flatMap(planned, (all) =>
      orFail(MigrationPlan.pending(all, options.allow ?? []))
    )
    if ((yield* pending).length === 0) return []
    return yield* locked(
      loaded,
      Effect.flatMap(pending, (migrations) =>
        Effect.forEach(migrations, (migration, index) =>
          Effect.gen(function* () {
            const position = `${migration.name} (${index + 1} of ${migrations.length})`
            yield* Effect.logInfo(`Migration ${position}: running`)
            const duration = yield* MigrationRun.run(sql, table, migration)
            yield* Effect.logInfo(`Migration ${position}: applied in ${duration} ms`)
            return migration.name
          })
        )
      )
    )
  })

/** Returns the state of every migration that has a file or was applied. Changes nothing. */
export const status = (
  options: Options
): Effect.Effect<
  ReadonlyArray<MigrationPlan.Planned>,
  MigrationError | SqlError,
  SqlClient.SqlClient
> => Effect.flatMap(load(options), ({ planned }) => planned)

/**
 * Gives the applied migrations whose files were edited or renamed the checksums and names
 * of the files, and returns their names. Runs no migration.
 */
export const repair = (
  options: Options
): Effect.Effect<ReadonlyArray<string>, MigrationError | SqlError, SqlClient.SqlClient> =>
  Effect.flatMap(load(options), (loaded) =>
    locked(
      loaded,
      Effect.gen(function* () {
        const names: Array<string> = []
        for (const { applied, file } of yield* loaded.planned) {
          if (applied === undefined || file === undefined) continue
          if (applied.name === file.name && applied.checksum === file.checksum) continue
          yield* loaded.table.update(file)
          names.push(file.name)
        }
        return names
      })
    )
  )

/**
 * Records the migrations up to and with the file `through` as applied, without running
 * them, and returns the names of those that were not recorded before. For a database that
 * has their tables already.
 */
export const baseline = (
  options: Options & { readonly through: string }
): Effect.Effect<ReadonlyArray<string>, MigrationError | SqlError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const { through } = options
    const loaded = yield* load(options)
    const last = loaded.files.find(({ name }) => name === through)
    if (last === undefined) {
      const names = loaded.files.map(({ name }) => name).join(", ")
      return yield* new MigrationError({
        migration: through,
        problem: "missing",
        reason: `no directory has this file. The migrations are: ${names === "" ? "none" : names}.`
      })
    }
    return yield* locked(
      loaded,
      Effect.gen(function* () {
        const names: Array<string> = []
        for (const { applied, file } of yield* loaded.planned) {
          if (applied !== undefined || file === undefined || file.id > last.id) continue
          yield* loaded.table.insert(file, 0)
          names.push(file.name)
        }
        return names
      })
    )
  })
