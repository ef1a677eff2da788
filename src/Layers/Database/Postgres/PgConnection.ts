/** The `Connection` of `effect/sql` over a session of sql-pg, with refined errors. */
import type { PgConnection as PgSession, Result } from "@effect/sql-pg/PgConnection"
import * as Effect from "effect/Effect"
import type { Connection } from "effect/sql/SqlConnection"
import { SqlError, UnknownError } from "effect/sql/SqlError"
import * as Stream from "effect/Stream"
import * as Failure from "../Failure.ts"
import * as RowTypes from "../RowTypes.ts"
import { isSchemaChange } from "../SchemaChange.ts"
import type { AheadConnection } from "../Transaction/Ahead.ts"
import * as PgAhead from "./PgAhead.ts"
import type { PgCatalogue } from "./PgCatalogue.ts"
import { refine } from "./PgErrors.ts"
import { isPlain, type PgParameters } from "./PgParameters.ts"

/** The function that `effect/sql` applies to the rows of a statement. */
type TransformRows = Parameters<Connection["execute"]>[2]

/**
 * Whether a statement ends a transaction or a savepoint. On a lost connection the
 * server has done so already, and a failure of the statement would hide the error
 * that came before.
 */
const isUndo = (sql: string): boolean => sql.startsWith("ROLLBACK") || sql.startsWith("RELEASE ")

/** The state that the connections of a pool share. */
export interface Shared {
  readonly catalogue: PgCatalogue
  /** How often a table was found to have changed under prepared statements. */
  changes: number
  readonly parameters: PgParameters
  /** The limit of the server for a statement, in milliseconds. */
  readonly statementTimeout: number | undefined
}

/** Creates the connection of a session. */
export const make = (session: PgSession, shared: Shared): AheadConnection => {
  const { catalogue, parameters, statementTimeout } = shared
  catalogue.watch(session)

  const refined =
    (sql: string) =>
    (cause: SqlError): SqlError => {
      const error = refine(cause)
      if (isSchemaChange(error)) shared.changes++
      return Failure.of(error, sql)
    }

  /** Sends a statement with the parameters that the driver must get. */
  const send = <A>(
    sql: string,
    params: ReadonlyArray<unknown>,
    query: (params: ReadonlyArray<unknown>) => Effect.Effect<A, SqlError>
  ): Effect.Effect<A, SqlError> =>
    isPlain(params)
      ? query(params)
      : Effect.flatMap(parameters.prepare(session, sql, params), query)

  const result = (sql: string, params: ReadonlyArray<unknown>, prepare: boolean) =>
    send(sql, params, (sent) => session.query(sql, sent, prepare))

  const values = (sql: string, params: ReadonlyArray<unknown>, prepare: boolean) =>
    send(sql, params, (sent) => session.queryValues(sql, sent, prepare)).pipe(
      Effect.flatMap((rows) => catalogue.complete(session, rows)),
      Effect.mapError(refined(sql))
    )

  const run = (
    sql: string,
    params: ReadonlyArray<unknown>,
    transformRows: TransformRows,
    prepare: boolean
  ) => {
    const rows = result(sql, params, prepare).pipe(
      Effect.flatMap((result) => {
        RowTypes.see(result.rows)
        return catalogue.complete(session, result.rows)
      }),
      Effect.mapError(refined(sql))
    )
    const safe = isUndo(sql)
      ? Effect.catch(rows, (error) => {
          if (error.reason._tag === "ConnectionError") return Effect.succeed([])
          // The server has lost the prepared statement. The transaction must still end.
          return prepare && sql.startsWith("ROLLBACK") && isSchemaChange(error)
            ? Effect.map(session.query(sql, params, false), ({ rows }) => rows)
            : Effect.fail(error)
        })
      : rows
    return transformRows === undefined ? safe : Effect.map(safe, transformRows)
  }

  /** A stream takes the time of its reader. The server's limit would count it. */
  const unlimited =
    statementTimeout === undefined
      ? Effect.void
      : Effect.acquireRelease(
          session.query("set statement_timeout = 0", [], false),
          // In a transaction that has failed, the rollback restores the limit.
          () =>
            Effect.ignore(session.query(`set statement_timeout = ${statementTimeout}`, [], false))
        )

  return {
    execute: (sql, params, transformRows) => run(sql, params, transformRows, true),
    executeRaw: (sql, params) =>
      result(sql, params, true).pipe(
        Effect.tap(({ rows }) => catalogue.complete(session, rows)),
        Effect.mapError(refined(sql))
      ),
    executeStream: (sql, params, transformRows) => {
      const rows = Stream.unwrap(
        Effect.map(
          Effect.andThen(
            catalogue.prepare(session),
            Effect.andThen(unlimited, send(sql, params, Effect.succeed))
          ),
          (sent) => session.stream(sql, sent)
        )
      ).pipe(
        Stream.mapArrayEffect((chunk) => catalogue.streamed(chunk)),
        Stream.mapError(refined(sql))
      )
      return transformRows === undefined
        ? rows
        : Stream.flatMap(rows, (row) => Stream.fromIterable(transformRows([row])))
    },
    executeUnprepared: (sql, params, transformRows) => run(sql, params, transformRows, false),
    executeValues: (sql, params) => values(sql, params, true),
    executeValuesUnprepared: (sql, params) => values(sql, params, false),
    sendAhead: (statements) => PgAhead.send(session, statements),
    sendCommit: () => PgAhead.sendCommit(session)
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

/** Rolls back after a commit that failed, in case the server has lost the prepared `COMMIT`. */
export const rollback = (connection: Connection): Effect.Effect<void, SqlError> =>
  Effect.asVoid(connection.executeUnprepared("ROLLBACK", [], undefined))
