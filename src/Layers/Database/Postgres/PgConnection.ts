/** The `Connection` of `effect/sql` over a session of sql-pg, with refined errors. */
import type { PgConnection as PgSession, Result } from "@effect/sql-pg/PgConnection"
import * as Effect from "effect/Effect"
import type { Connection } from "effect/sql/SqlConnection"
import { SqlError, UnknownError } from "effect/sql/SqlError"
import * as Stream from "effect/Stream"
import { refine } from "./PgErrors.ts"

/** The function that `effect/sql` applies to the rows of a statement. */
type TransformRows = Parameters<Connection["execute"]>[2]

/**
 * Whether a statement ends a transaction or a savepoint. On a lost connection the
 * server has done so already, and a failure of the statement would hide the error
 * that came before.
 */
const isUndo = (sql: string): boolean => sql.startsWith("ROLLBACK") || sql.startsWith("RELEASE ")

/** Creates the connection of a session. */
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

/** Commits. Fails if the server rolled back instead, as it does after a failed statement. */
export const commit = (connection: Connection): Effect.Effect<void, SqlError> =>
  Effect.flatMap(connection.executeRaw("COMMIT", []), (result) => {
    const { command } = result as Result // `executeRaw` above returns it
    if (command !== "ROLLBACK") return Effect.void
    const message =
      "COMMIT rolled back: a statement of the transaction had failed, and its error was ignored. Let the error fail the transaction, or wrap the statement in a nested withTransaction."
    return Effect.fail(
      new SqlError({
        reason: new UnknownError({ cause: new Error(message), message, operation: "commit" })
      })
    )
  })
