/** Applies the pending migrations in order, after checking all of them. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { MigrationError } from "./MigrationError.ts"
import type { Migration } from "./MigrationFiles.ts"
import * as MigrationFiles from "./MigrationFiles.ts"
import * as MigrationLock from "./MigrationLock.ts"
import * as SqlScript from "./SqlScript.ts"

/** An applied migration: a row of the table `flange_migrations`. */
interface Applied {
  readonly checksum: string
  readonly id: number
  readonly name: string
}

const exists = (sql: SqlClient.SqlClient) =>
  Effect.map(
    sql.onDialectOrElse({
      mysql: () =>
        sql`select 1 from information_schema.tables where table_schema = database() and table_name = 'flange_migrations'`,
      orElse: () =>
        sql`select 1 from information_schema.tables where table_schema = current_schema() and table_name = 'flange_migrations'`
    }),
    (rows) => rows.length > 0
  )

const createTable = (sql: SqlClient.SqlClient) =>
  sql`create table if not exists flange_migrations (
    id integer primary key,
    name varchar(255) not null,
    checksum char(64) not null,
    duration_ms integer not null,
    applied_at timestamp not null default current_timestamp
  )`

const readApplied = (sql: SqlClient.SqlClient): Effect.Effect<ReadonlyArray<Applied>, SqlError> =>
  Effect.flatMap(exists(sql), (there) =>
    there
      ? sql<Applied>`select id, name, checksum from flange_migrations order by id`
      : Effect.succeed([])
  )

/** Returns the migrations that are not applied yet. Fails with the first problem. */
const pendingOf = (
  migrations: ReadonlyArray<Migration>,
  applied: ReadonlyArray<Applied>
): Effect.Effect<ReadonlyArray<Migration>, MigrationError> =>
  Effect.gen(function* () {
    const last = applied.at(-1)
    const pending: Array<Migration> = []
    for (const migration of migrations) {
      const done = applied.find(({ id }) => id === migration.id)
      if (done !== undefined && done.checksum !== migration.checksum) {
        return yield* new MigrationError({
          migration: migration.name,
          problem: "changed",
          reason: `it was applied as ${done.name} and has been edited since. Restore the file, and write the change as a new migration.`
        })
      }
      if (done === undefined && last !== undefined && migration.id < last.id) {
        return yield* new MigrationError({
          migration: migration.name,
          problem: "late",
          reason: `it has a lower number than ${last.name}, which was applied already. Give it a number above ${last.id}.`
        })
      }
      if (done === undefined) pending.push(migration)
    }
    const unknown = applied.filter(({ id }) => !migrations.some((one) => one.id === id))
    if (unknown.length > 0) {
      const names = unknown.map(({ name }) => name).join(", ")
      yield* Effect.logDebug(`Applied by another version of this app: ${names}`)
    }
    return pending
  })

const failed = (migration: Migration, where: string, cause: unknown): MigrationError => {
  const said = cause instanceof Error ? cause.message : String(cause)
  return new MigrationError({
    cause,
    migration: migration.name,
    problem: "failed",
    reason: `${where}${said}`
  })
}

/**
 * Runs the statements one by one. MySQL commits each DDL statement, so the error of a
 * later statement reports those before it.
 */
const runScript = (
  migration: Migration,
  script: string,
  dialect: SqlScript.Dialect,
  execute: (statement: string) => Effect.Effect<unknown, SqlError>
): Effect.Effect<void, MigrationError> =>
  Effect.gen(function* () {
    const statements = SqlScript.split(script, dialect)
    for (const [index, { line, text }] of statements.entries()) {
      if (migration.transaction && SqlScript.controlsTransaction(text)) {
        return yield* new MigrationError({
          migration: migration.name,
          problem: "invalid",
          reason: `line ${line} controls the transaction, which Flange begins and ends. Remove the statement, or begin the file with: -- flange: no transaction`
        })
      }
      const kept =
        index > 0 && (dialect === "mysql" || !migration.transaction)
          ? ` The ${index} before it may have stayed: undo them before you try again.`
          : ""
      yield* Effect.mapError(execute(text), (cause) =>
        failed(
          migration,
          `statement ${index + 1} of ${statements.length}, line ${line}, failed.${kept} `,
          cause
        )
      )
    }
  })

const runOne = (sql: SqlClient.SqlClient, migration: Migration) => {
  const { step, transaction } = migration
  const dialect: SqlScript.Dialect = sql.onDialectOrElse({
    mysql: () => "mysql" as const,
    orElse: () => "pg" as const
  })
  if ("run" in step) {
    return step.run.pipe(
      Effect.provideService(SqlClient.SqlClient, sql),
      Effect.mapError((cause) =>
        cause instanceof MigrationError ? cause : failed(migration, "it failed: ", cause)
      )
    )
  }
  if (transaction) {
    return runScript(migration, step.script, dialect, (text) => sql.unsafe(text).unprepared)
  }
  // Statements that change settings of the session need the same session.
  return Effect.scoped(
    Effect.flatMap(sql.reserve, (connection) =>
      runScript(migration, step.script, dialect, (text) =>
        connection.executeUnprepared(text, [], undefined)
      )
    )
  )
}

const apply = (sql: SqlClient.SqlClient, migration: Migration, position: string) =>
  Effect.gen(function* () {
    yield* Effect.logInfo(`Migration ${migration.name} (${position}): running`)
    const start = yield* Clock.currentTimeMillis
    let duration = 0
    const whole = Effect.gen(function* () {
      yield* runOne(sql, migration)
      duration = Math.round((yield* Clock.currentTimeMillis) - start)
      yield* sql`insert into flange_migrations ${sql.insert({
        checksum: migration.checksum,
        duration_ms: duration,
        id: migration.id,
        name: migration.name
      })}`
    })
    yield* (migration.transaction ? sql.withTransaction(whole) : whole).pipe(
      Effect.mapError((cause) => (isSqlError(cause) ? failed(migration, "", cause) : cause))
    )
    yield* Effect.logInfo(`Migration ${migration.name} (${position}): applied in ${duration} ms`)
    return migration.name
  })

/**
 * Applies the pending migrations of the directories and returns their names. The
 * numbers of all directories form one list.
 *
 * Each migration runs in a transaction of its own, which also records it in the
 * table `flange_migrations`. A `.sql` file opts out with the first line
 * `-- flange: no transaction`, a `.ts` file with `export const transaction = false`.
 * MySQL commits most DDL statements immediately, so a failed migration may be
 * partly applied there.
 *
 * Only one process migrates at a time: an advisory lock on PostgreSQL, `GET_LOCK`
 * on MySQL. The pool needs three connections.
 *
 * Fails with `MigrationError` before any migration runs if an applied file was
 * edited, or if a new file has a lower number than an applied one. If a migration
 * fails, those before it stay applied.
 */
export const run = (options: {
  readonly directories: ReadonlyArray<string | URL>
}): Effect.Effect<ReadonlyArray<string>, MigrationError | SqlError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const migrations = yield* MigrationFiles.fromDirectories(options.directories)
    if (migrations.length === 0) return []
    const unlocked = yield* pendingOf(migrations, yield* readApplied(sql))
    if (unlocked.length === 0) return []
    return yield* Effect.scoped(
      Effect.gen(function* () {
        yield* MigrationLock.acquire(sql)
        yield* createTable(sql)
        const pending = yield* pendingOf(migrations, yield* readApplied(sql))
        return yield* Effect.forEach(pending, (migration, index) =>
          apply(sql, migration, `${index + 1} of ${pending.length}`)
        )
      })
    )
  })
