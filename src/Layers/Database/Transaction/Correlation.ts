/**
 * From a slow query to the request that sent it: each transaction of a request
 * carries the request's id to the database, and loses it when it ends.
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

/** What is sent around the statements of a transaction. */
export interface Correlation {
  /** After the transaction has ended, on its connection; undefined where its end takes the id away. */
  readonly clear: ((connection: Connection) => Effect.Effect<unknown, SqlError>) | undefined
  /** As the first statement of the transaction. */
  readonly set: (connection: Connection) => Effect.Effect<unknown, SqlError>
}

/** PostgreSQL cuts longer names at 63 bytes; this leaves room for what a pooler adds. */
const longestName = 55

/** The `application_name` of a transaction: `flange|` and the request id, 55 characters at most. */
export const applicationName = (requestId: string): string =>
  `flange|${requestId}`.slice(0, longestName)

const postgres = (requestId: string): Correlation => ({
  clear: undefined,
  set: (connection) =>
    connection.execute(
      "SELECT set_config('application_name', $1, true), set_config('app.request_id', $2, true)",
      [applicationName(requestId), requestId],
      undefined
    )
})

const mysql = (requestId: string): Correlation => ({
  clear: (connection) =>
    connection.executeUnprepared("SET @flange_request_id = NULL", [], undefined),
  set: (connection) =>
    connection.executeUnprepared("SET @flange_request_id = ?", [requestId], undefined)
})

/** How the client's database is told of a request; not at all outside of one. */
export const make = (client: SqlClient, requestId: string): Correlation | undefined =>
  requestId === ""
    ? undefined
    : client.onDialectOrElse({
        mysql: () => mysql(requestId),
        orElse: () => undefined,
        pg: () => postgres(requestId)
      })
