/** Runs one migration in a session of its own, and records it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import * as Thrown from "../../../Config/Thrown.ts"
import { reserveClean } from "../Client.ts"
import type { Dialect } from "../SqlText.ts"
import { MigrationError } from "./MigrationError.ts"
import type { Migration } from "./MigrationFiles.ts"
import type { MigrationTable } from "./MigrationTable.ts"
import * as SqlScript from "./SqlScript.ts"

const failed = (migration: Migration, where: string, cause: unknown): MigrationError => {
  const said = Thrown.messageOf(cause)
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
  dialect: Dialect,
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

/** The settings of a script that could refuse the record of it, in the same transaction. */
const resets = ["RESET SESSION AUTHORIZATION", "RESET ROLE", "RESET ALL"]

/**
 * Runs a migration and records it in the same transaction. Without a transaction it is
 * recorded afterwards. Returns the duration in milliseconds.
 */
export const run = (
  sql: SqlClient.SqlClient,
  table: MigrationTable,
  migration: Migration
): Effect.Effect<number, MigrationError> => {
  const { step, transaction } = migration
  const dialect: Dialect = sql.onDialectOrElse({
    mysql: () => "mysql" as const,
    orElse: () => "pg" as const
  })

  const work = (connection: Connection): Effect.Effect<void, MigrationError | SqlError> => {
    const execute = (text: string) => connection.executeUnprepared(text, [], undefined)
    const body =
      "run" in step
        ? step.run.pipe(
            Effect.provideService(SqlClient.SqlClient, sql),
            Effect.mapError((cause) =>
              cause instanceof MigrationError ? cause : failed(migration, "it failed: ", cause)
            )
          )
        : runScript(migration, step.script, dialect, execute)
    // A script may have left a transaction open, or switched the autocommit off.
    const after = transaction ? (dialect === "pg" ? resets : []) : ["COMMIT"]
    return Effect.andThen(body, Effect.forEach(after, execute, { discard: true }))
  }

  const record = (duration: number) =>
    Effect.mapError(table.insert(migration, duration), (cause) =>
      failed(
        migration,
        dialect === "mysql" || !transaction
          ? "it ran, but it could not be recorded. Record it with Database.baselineMigrations. "
          : "it could not be recorded: ",
        cause
      )
    )

  const whole = Effect.gen(function* () {
    const start = yield* Clock.currentTimeMillis
    const since = Effect.map(Clock.currentTimeMillis, (now) => Math.round(now - start))
    const duration = yield* Effect.scoped(
      Effect.gen(function* () {
        const connection = yield* reserveClean(sql)
        const body = Effect.andThen(work(connection), since)
        const inTransaction = sql.withTransaction(Effect.tap(body, record))
        // The level above the outermost transaction: the client begins on this connection.
        const level: SqlClient.TransactionConnection.Service = [connection, -1]
        return yield* Effect.provideService(
          transaction ? inTransaction : body,
          sql.transactionService,
          level
        )
      })
    )
    if (!transaction) yield* record(duration)
    return duration
  })

  return Effect.mapError(whole, (cause) =>
    isSqlError(cause) ? failed(migration, "", cause) : cause
  )
}
