/** What the log has of a failed statement: its text once, and one stack. */
import type { SqlError } from "effect/sql/SqlError"

/** The longest text of a statement that is kept, in UTF-16 units. */
const longest = 4000

/**
 * Removes the stacks of the reason and of the driver's error, which have frames of drivers only, and
 * the text that a driver adds to its error: it may have the values of the parameters.
 */
export const plain = (error: SqlError): SqlError => {
  for (const inner of [error.reason, error.reason.cause]) {
    if (!(inner instanceof Error) || Object.isFrozen(inner)) continue
    inner.stack = `${inner.name}: ${inner.message}`
    if ("sql" in inner) delete inner.sql
  }
  return error
}

/** Adds the text of the statement, which has placeholders for its values, to an error. */
export const of = (error: SqlError, sql: string): SqlError => {
  if ("statement" in error) return error
  const statement =
    sql.length > longest ? `${sql.slice(0, longest)}... (${sql.length} characters)` : sql
  return Object.assign(error, { statement })
}
