/** The defects of code that needs a transaction and runs outside of one. */
import * as Schema from "effect/Schema"

const remedies =
  "In a request, add `Database.transactional()` to the plugins of the app, or annotate the endpoint with `Database.Transactional`. Elsewhere, wrap the code in `sql.withTransaction`."

/**
 * Code that requires a transaction ran outside of one: a method that asks for
 * `Database.InTransaction`, or a `select` that locks rows. Such a lock ends with its statement.
 */
export class NotInTransaction extends Schema.TaggedError<NotInTransaction>()("NotInTransaction", {
  /** The statement that locks rows. Undefined for `Database.InTransaction`. */
  sql: Schema.UndefinedOr(Schema.String)
}) {
  override get message(): string {
    const what =
      this.sql === undefined
        ? "This code requires a transaction, and none is open."
        : `The query \`${this.sql}\` locks rows outside a transaction, so the lock ends with the query.`
    return `${what} ${remedies}`
  }
}
