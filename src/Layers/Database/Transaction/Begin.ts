/** The statements that begin a transaction with an isolation level and an access mode. */
import type { SqlClient } from "effect/sql/SqlClient"

/** What a transaction sees of others. Source: SQL:1992, section 4.28. */
export type Isolation = "read committed" | "read uncommitted" | "repeatable read" | "serializable"

/** How a transaction begins. */
export interface Mode {
  /** Undefined leaves it to the database: read committed on PostgreSQL, repeatable read on MySQL. */
  readonly isolation: Isolation | undefined
  readonly readOnly: boolean
}

const mysql = ({ isolation, readOnly }: Mode): ReadonlyArray<string> => [
  // It has no place in MySQL's own statement; this counts for the next transaction only.
  ...(isolation === undefined
    ? []
    : [`SET TRANSACTION ISOLATION LEVEL ${isolation.toUpperCase()}`]),
  readOnly ? "START TRANSACTION READ ONLY" : "START TRANSACTION"
]

const postgres = ({ isolation, readOnly }: Mode): ReadonlyArray<string> => [
  [
    "BEGIN",
    ...(isolation === undefined ? [] : [`ISOLATION LEVEL ${isolation.toUpperCase()}`]),
    ...(readOnly ? ["READ ONLY"] : [])
  ].join(" ")
]

/** The statements, in order. Databases that know neither mode get their plain `BEGIN`. */
export const statements = (client: SqlClient, mode: Mode): ReadonlyArray<string> =>
  client.onDialectOrElse({
    mysql: () => mysql(mode),
    orElse: () => ["BEGIN"],
    pg: () => postgres(mode)
  })
