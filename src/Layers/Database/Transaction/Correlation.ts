/**
 * Sends the id of a request to the database with each of its transactions, so that
 * a slow query can be traced to its request. The id is removed when the transaction ends.
 *
 * | database | where | read it with |
 * |---|---|---|
 * | PostgreSQL, PGlite | `application_name` is `flange\|<request id>`; setting `app.request_id` | `select application_name, query from pg_stat_activity`, `current_setting('app.request_id', true)` |
 * | MySQL, MariaDB | user variable `@flange_request_id` | `performance_schema.user_variables_by_thread` |
 */
import type * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import type { SqlError } from "effect/sql/SqlError"
import type { Statement } from "./Ahead.ts"

/** The statements that set and remove a request id on a connection. */
export interface Correlation {
  /** Runs after the transaction. Undefined if the end of the transaction already removes the id. */
  readonly clear: ((connection: Connection) => Effect.Effect<unknown, SqlError>) | undefined
  /** The first statement of the transaction. It returns a row if the commit must be waited for. */
  readonly set: Statement
}

/** PostgreSQL cuts names at 63 bytes. A connection pooler may append a suffix of its own. */
const longestName = 55

/**
 * Returns the `application_name` of a transaction: `flange|` and the request id, at
 * most 55 characters.
 */
export const applicationName = (requestId: string): string =>
  `flange|${requestId}`.slice(0, longestName)

// All are set, and none is null. The commit of a serializable read can fail.
const settings =
  "SELECT WHERE set_config('application_name', $1, true) IS NULL OR set_config('app.request_id', $2, true) IS NULL OR current_setting('transaction_isolation') = 'serializable'"

const limited = `${settings} OR set_config('statement_timeout', $3, true) IS NULL`

const postgres = (requestId: string, statementTimeout: number | undefined): Correlation => {
  const params = [applicationName(requestId), requestId]
  return {
    clear: undefined,
    set:
      statementTimeout === undefined
        ? { params, sql: settings }
        : { params: [...params, String(statementTimeout)], sql: limited }
  }
}

const mysql = (requestId: string): Correlation => ({
  clear: (connection) =>
    connection.executeUnprepared("SET @flange_request_id = NULL", [], undefined),
  set: { params: [requestId], sql: "SET @flange_request_id = ?" }
})

/**
 * Returns the statements for a request id. Undefined outside a request, or if the
 * database has no place for the id. On PostgreSQL the transaction also gets the longest time of its
 * statements, in milliseconds, unless it is undefined.
 */
export const make = (
  client: SqlClient,
  requestId: string,
  statementTimeout: number | undefined
): Correlation | undefined =>
  requestId === ""
    ? undefined
    : client.onDialectOrElse({
        mysql: () => mysql(requestId),
        orElse: () => undefined,
        pg: () => postgres(requestId, statementTimeout)
      })
