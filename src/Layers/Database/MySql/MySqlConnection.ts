/** The `Connection` of `effect/sql` over a MySQL session. */
import * as Effect from "effect/Effect"
import type { Connection } from "effect/sql/SqlConnection"
import type { SqlError } from "effect/sql/SqlError"
import * as SqlStream from "effect/sql/SqlStream"
import type { QueryOptions } from "mysql2"
import { toSqlError } from "./MySqlErrors.ts"
import { type MySqlSession, toParameter } from "./MySqlSession.ts"

type TransformRows = Parameters<Connection["execute"]>[2]

/**
 * Returns the rows of a result. A statement without rows has a header, which only
 * `executeRaw` returns.
 */
const rowsOf = (result: unknown): ReadonlyArray<never> =>
  Array.isArray(result) ? (result as Array<never>) : []

const isEnd = (sql: string): boolean => sql === "COMMIT" || sql === "ROLLBACK"

const isUndo = (sql: string): boolean => sql.startsWith("ROLLBACK") || sql.startsWith("RELEASE ")

/**
 * Creates a connection for single statements, or for one transaction.
 *
 * At a deadlock the server rolls back the whole transaction, and it would run the
 * following statements outside a transaction. The connection fails them with the
 * error of the deadlock instead, as PostgreSQL does.
 */
export const make = (session: MySqlSession, transaction: boolean): Connection => {
  let aborted: SqlError | undefined

  const guarded = <A>(
    sql: string,
    effect: Effect.Effect<A, SqlError>
  ): Effect.Effect<A, SqlError> => {
    if (!transaction) return effect
    const watched = Effect.tapError(effect, (error) =>
      Effect.sync(() => {
        if (error.reason._tag === "DeadlockError") aborted = error
      })
    )
    return Effect.suspend(() => {
      if (aborted === undefined) return watched
      const error = aborted
      if (isEnd(sql)) aborted = undefined
      return sql === "ROLLBACK" ? watched : Effect.fail(error)
    })
  }

  const send = (
    sql: string,
    params: ReadonlyArray<unknown>,
    options: { readonly prepare: boolean; readonly rowsAsArray: boolean }
  ): Effect.Effect<unknown, SqlError> => {
    const values = params.map(toParameter) as Array<never> // mysql2 types parameters as `any`
    const query: QueryOptions = { rowsAsArray: options.rowsAsArray, sql }
    const effect = guarded(
      sql,
      session.run("execute", (callback) => {
        if (options.prepare) session.raw.execute(query, values, callback)
        else session.raw.query({ ...query, values }, callback)
      })
    )
    // If the connection or the transaction is lost, nothing is left to undo.
    return isUndo(sql)
      ? Effect.catchIf(
          effect,
          ({ reason }) => reason._tag === "ConnectionError" || reason._tag === "DeadlockError",
          () => Effect.succeed([])
        )
      : effect
  }

  const run =
    (prepare: boolean) =>
    (sql: string, params: ReadonlyArray<unknown>, transformRows: TransformRows) =>
      Effect.map(send(sql, params, { prepare, rowsAsArray: false }), (result) =>
        transformRows === undefined ? rowsOf(result) : transformRows(rowsOf(result))
      )

  return {
    execute: run(true),
    executeRaw: (sql, params) => send(sql, params, { prepare: true, rowsAsArray: false }),
    executeStream: (sql, params, transformRows) =>
      SqlStream.asyncPauseResume<object, SqlError>((emit) =>
        Effect.map(guardedStream(sql, params), (query) => {
          query.on("error", (cause) => emit.fail(toSqlError(cause, "stream")))
          query.on("end", () => emit.end())
          query.on("result", (row) => {
            if (transformRows === undefined) emit.single(row)
            else emit.array(transformRows([row]))
          })
          return {
            onPause: () => session.raw.pause(),
            onResume: () => session.raw.resume()
          }
        })
      ),
    executeUnprepared: run(false),
    executeValues: (sql, params) =>
      Effect.map(send(sql, params, { prepare: true, rowsAsArray: true }), rowsOf),
    executeValuesUnprepared: (sql, params) =>
      Effect.map(send(sql, params, { prepare: false, rowsAsArray: true }), rowsOf)
  }

  function guardedStream(sql: string, params: ReadonlyArray<unknown>) {
    return Effect.suspend(() =>
      aborted === undefined ? session.stream({ sql }, params) : Effect.fail(aborted)
    )
  }
}
