/** The `Connection` of `effect/sql` over a MySQL session. */
import * as Effect from "effect/Effect"
import type { Connection } from "effect/sql/SqlConnection"
import type { SqlError } from "effect/sql/SqlError"
import * as SqlStream from "effect/sql/SqlStream"
import type { FieldPacket, QueryOptions, RowDataPacket } from "mysql2"
import { tooManyParameters } from "../Client.ts"
import * as Failure from "../Failure.ts"
import * as RowTypes from "../RowTypes.ts"
import { isSchemaChange } from "../SchemaChange.ts"
import { toSqlError } from "./MySqlErrors.ts"
import { type MySqlSession, toParameter } from "./MySqlSession.ts"

type TransformRows = Parameters<Connection["execute"]>[2]

/**
 * Returns the rows of a result. A statement without rows has a header, which only
 * `executeRaw` returns.
 */
const rowsOf = (result: unknown): ReadonlyArray<never> =>
  Array.isArray(result) ? (result as Array<never>) : []

/** The most placeholders of a prepared statement: the protocol counts them in 16 bits. */
const mostParameters = 65_535

/** The number of BIGINT in the protocol. Node cannot import it from mysql2 by name. */
const bigInt = 8

/** The columns as mysql2 reports them: one list, or a list for each of several results. */
type Fields = FieldPacket | ReadonlyArray<FieldPacket> | undefined

/**
 * Returns the result with every BIGINT as a `bigint`. The driver returns them as text;
 * its numbers would be exact up to 2^53 only.
 */
const withBigInts = (result: unknown, fields: ReadonlyArray<Fields> | undefined): unknown => {
  if (!Array.isArray(result) || fields === undefined) return result
  if (!isOfOne(fields)) {
    return result.map((one, at) => withBigInts(one, fields[at] as ReadonlyArray<Fields>))
  }
  const big = bigColumns(fields)
  if (big.size > 0) for (const row of result) exactRow(row, big)
  return result
}

/** Whether the columns are of one result. Procedures and several statements return several. */
const isOfOne = (fields: ReadonlyArray<Fields>): fields is ReadonlyArray<FieldPacket> =>
  fields.every((field) => field !== undefined && !Array.isArray(field))

/** Returns the BIGINT columns by name, with their index. */
const bigColumns = (fields: ReadonlyArray<FieldPacket>): ReadonlyMap<string, number> => {
  const big = new Map<string, number>()
  for (const [index, { columnType, name }] of fields.entries()) {
    if (columnType === bigInt) big.set(name, index)
    else big.delete(name) // of columns with one name the last one counts
  }
  return big
}

/** Replaces the text of columns, given by name and index, by a `bigint`. */
const exactRow = (row: Record<string, unknown>, big: ReadonlyMap<string, number>): void => {
  const isArray = Array.isArray(row)
  for (const [name, index] of big) {
    const key = isArray ? index : name
    const value = row[key]
    if (typeof value === "string") row[key] = BigInt(value)
  }
}

const name = "`(?:[^`]|``)+`(?:\\.`(?:[^`]|``)+`)?"

const condition = `\\(?${name} = (?:\\?|LAST_INSERT_ID\\(\\))(?: AND ${name} is null\\))?`

/**
 * Matches the pairs of statements that `SqlModel` sends as one: an insert or an update,
 * and the select of the row. Only names and placeholders are allowed, so no value can
 * become a second statement.
 */
const pair = new RegExp(
  `^((?:insert into ${name} \\((?:${name},?)*\\) VALUES \\((?:\\?,?)*\\)` +
    `|update ${name} set (?:${name} = \\?(?:, )?)+ where ${condition}));\\n` +
    `(select \\* from ${name} where ${condition});$`
)

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
    const refused = options.prepare ? tooManyParameters(params, mostParameters) : undefined
    if (refused !== undefined) return Effect.fail(refused)
    const sent = session.run("execute", (callback) => {
      const received = (error: unknown, result: unknown, fields: ReadonlyArray<Fields>) =>
        callback(error, withBigInts(result, fields))
      if (options.prepare) session.raw.execute(query, values, received)
      else session.raw.query({ ...query, values }, received)
    })
    const once = Effect.mapError(sent, (error) => Failure.of(error, sql))
    const effect = guarded(
      sql,
      Effect.catchIf(once, isSchemaChange, (error) => {
        // The driver finds it by its options too, though the type has only the text.
        session.raw.unprepare(query as unknown as string)
        return transaction ? Effect.fail(error) : once
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

  /** Sends the two statements of `SqlModel` one by one. */
  const sendUnprepared = (
    sql: string,
    params: ReadonlyArray<unknown>,
    rowsAsArray: boolean
  ): Effect.Effect<unknown, SqlError> => {
    const options = { prepare: false, rowsAsArray }
    const [, change, select] = pair.exec(sql) ?? []
    if (change === undefined || select === undefined) return send(sql, params, options)
    const own = change.replaceAll(new RegExp(name, "g"), "").split("?").length - 1
    return Effect.zip(
      send(change, params.slice(0, own), options),
      send(select, params.slice(own), options)
    )
  }

  const run =
    (prepare: boolean) =>
    (sql: string, params: ReadonlyArray<unknown>, transformRows: TransformRows) =>
      Effect.map(
        prepare
          ? send(sql, params, { prepare, rowsAsArray: false })
          : sendUnprepared(sql, params, false),
        (result) => {
          const rows = rowsOf(result)
          RowTypes.see(rows)
          return transformRows === undefined ? rows : transformRows(rows)
        }
      )

  const { limit } = session
  const set = (text: string) =>
    session.run("stream", (callback) => session.raw.query(text, callback))
  /** A stream takes the time of its reader. The server's limit would count it. */
  const unlimited =
    limit === undefined
      ? Effect.void
      : Effect.acquireRelease(set(limit.off), () => Effect.ignore(set(limit.on)))

  return {
    execute: run(true),
    executeRaw: (sql, params) => send(sql, params, { prepare: true, rowsAsArray: false }),
    executeStream: (sql, params, transformRows) =>
      SqlStream.asyncPauseResume<object, SqlError>((emit) =>
        Effect.map(guardedStream(sql, params), (query) => {
          let big: ReadonlyMap<string, number> = new Map()
          let rows: Array<object> = []
          // One offer for all rows that the driver read at once: each offer starts a fiber.
          const offer = () => {
            if (rows.length === 0) return
            emit.array(transformRows === undefined ? rows : transformRows(rows))
            rows = []
          }
          query.on("end", () => {
            offer()
            emit.end()
          })
          query.on("error", (cause) => {
            offer()
            emit.fail(Failure.of(toSqlError(cause, "stream"), sql))
          })
          // mysql2 gives one packet as the type of the list of packets.
          query.on("fields", (fields) => {
            big = bigColumns(fields as unknown as ReadonlyArray<FieldPacket>)
          })
          query.on("result", (result) => {
            const row = result as RowDataPacket // a stream has no other results
            exactRow(row, big)
            if (rows.push(row) === 1) queueMicrotask(offer)
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
    executeValuesUnprepared: (sql, params) => Effect.map(sendUnprepared(sql, params, true), rowsOf)
  }

  function guardedStream(sql: string, params: ReadonlyArray<unknown>) {
    return Effect.suspend(() =>
      aborted === undefined
        ? Effect.andThen(unlimited, session.stream({ sql }, params))
        : Effect.fail(aborted)
    )
  }
}
