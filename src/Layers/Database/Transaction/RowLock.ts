/** Refuses queries that lock rows outside a transaction. */
import * as Effect from "effect/Effect"
import type { Connection } from "effect/sql/SqlConnection"
import * as Stream from "effect/Stream"
import { NotInTransaction } from "./NotInTransaction.ts"

/** The lock of a `select`, if no other clause follows. */
const lock =
  /\b(?:for\s+(?:no\s+key\s+)?update|for\s+(?:key\s+)?share|lock\s+in\s+share\s+mode)\b[\w\s,."`]*;?\s*$/i

/**
 * Whether a query locks rows for the statements after it. A statement that writes and has such a
 * `select` in it, as workers of a queue do, needs no transaction.
 */
export const locksRows = (sql: string): boolean => /^\s*select\b/i.test(sql) && lock.test(sql)

const known = new WeakMap<Connection, Connection>()

/** Returns a connection for statements outside transactions. Queries that lock rows die. */
export const refusing = (connection: Connection): Connection => {
  const before = known.get(connection)
  if (before !== undefined) return before
  const made = make(connection)
  known.set(connection, made)
  return made
}

const make = (connection: Connection): Connection => {
  const checked =
    <A extends ReadonlyArray<unknown>, B, E>(
      run: (sql: string, ...rest: A) => Effect.Effect<B, E>
    ) =>
    (sql: string, ...rest: A): Effect.Effect<B, E> =>
      locksRows(sql) ? Effect.die(new NotInTransaction({ sql })) : run(sql, ...rest)
  return {
    execute: checked(connection.execute),
    executeRaw: checked(connection.executeRaw),
    executeStream: (sql, params, transformRows) =>
      locksRows(sql)
        ? Stream.die(new NotInTransaction({ sql }))
        : connection.executeStream(sql, params, transformRows),
    executeUnprepared: checked(connection.executeUnprepared),
    executeValues: checked(connection.executeValues),
    executeValuesUnprepared: checked(connection.executeValuesUnprepared)
  }
}
