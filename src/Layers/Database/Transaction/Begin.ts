/** The statements that begin a transaction with an isolation level and an access mode. */
import type { SqlClient } from "effect/sql/SqlClient"
import type { Isolation } from "../Contract.ts"

/** The isolation level and access mode of a transaction. */
export interface Mode {
  /**
   * If undefined, the database's default: read committed on PostgreSQL, repeatable
   * read on MySQL.
   */
  readonly isolation: Isolation | undefined
  readonly readOnly: boolean
}

const mysql = ({ isolation, readOnly }: Mode): ReadonlyArray<string> => [
  // `START TRANSACTION` takes no isolation level. This sets it for the next transaction only.
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

/**
 * Returns the statements that begin a transaction, in order. Other databases get a
 * plain `BEGIN`.
 */
export const statements = (client: SqlClient, mode: Mode): ReadonlyArray<string> =>
  client.onDialectOrElse({
    mysql: () => mysql(mode),
    orElse: () => ["BEGIN"],
    pg: () => postgres(mode)
  })
