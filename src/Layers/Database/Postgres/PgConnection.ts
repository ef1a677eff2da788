/** A PostgreSQL session as `effect/sql` uses it, with refined errors. */
import type { PgConnection as PgSession, Result } from "@effect/sql-pg/PgConnection"
import * as Effect from "effect/Effect"
import type { Connection } from "effect/sql/SqlConnection"
import { SqlError, UnknownError } from "effect/sql/SqlError"
import * as Stream from "effect/Stream"
import { refine } from "./PgErrors.ts"

/** A function over rows, applied to what a statement gives. */
type TransformRows = Parameters<Connection["execute"]>[2]

/**
 * Statements that end a transaction or a part of it. On a connection that is
 * lost the server has ended the transaction already, so that their failure must
 * not hide the error that came before.
 */
const isUndo = (sql: string): boolean => sql.startsWith("ROLLBACK") || sql.startsWith("RELEASE ")

/** Wraps a session of sql-pg. */
export const make = (session: PgSession): Connection => {
  const refined = <A>(effect: Effect.Effect<A, SqlError>) => Effect.mapError(effect, refine)
  const run = (
    sql: string,
    params: ReadonlyArray<unknown>,
    transformRows: TransformRows,
    prepare: boolean
  ) => {
    const rows = refined(Effect.map(session.query(sql, params, prepare), (result) => result.rows))
    const safe = isUndo(sql)
      ? Effect.catchIf(
          rows,
          (error) => error.reason._tag === "ConnectionError",
          () => Effect.succeed([])
        )
      : rows
    return transformRows === undefined ? safe : Effect.map(safe, transformRows)
  }
  return {
    execute: (sql, params, transformRows) => run(sql, params, transformRows, true),
    executeRaw: (sql, params) => refined(session.query(sql, params)),
    executeStream: (sql, params, transformRows) => {
      const rows = Stream.mapError(session.stream(sql, params), refine)
      return transformRows === undefined
        ? rows
        : Stream.flatMap(rows, (row) => Stream.fromIterable(transformRows([row])))
    },
    executeUnprepared: (sql, params, transformRows) => run(sql, params, transformRows, false),
    executeValues: (sql, params) => refined(session.queryValues(sql, params)),
    executeValuesUnprepared: (sql, params) => refined(session.queryValues(sql, params, false))
  }
}

/** Commits, and fails when the server rolled back instead: it does so after a failed statement. */
export const commit = (connection: Connection): Effect.Effect<void, SqlError> =>
  Effect.flatMap(connection.executeRaw("COMMIT", []), (result) => {
    const { command } = result as Result // what `executeRaw` above gives
    if (command !== "ROLLBACK") return Effect.void
    const message =
      "COMMIT rolled back: a statement of the transaction had failed, and its error was ignored. Let the error fail the transaction, or wrap the statement in a nested withTransaction."
    return Effect.fail(
      new SqlError({
        reason: new UnknownError({ cause: new Error(message), message, operation: "commit" })
      })
    )
  })
