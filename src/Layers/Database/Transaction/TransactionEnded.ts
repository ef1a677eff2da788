/** The defect of a query that comes after its transaction. */
import * as Schema from "effect/Schema"

/**
 * A fiber that outlived the handler it was forked in, or a stream that the
 * handler returned, sent a query after the transaction of its request had been
 * committed or rolled back. The connection belongs to others by then.
 */
export class TransactionEnded extends Schema.TaggedError<TransactionEnded>()("TransactionEnded", {
  sql: Schema.String
}) {
  override get message(): string {
    return (
      `The query \`${this.sql}\` came after the transaction of its request had ended: ` +
      "it runs in a fiber that outlives the handler, or in a stream that the handler returned. " +
      "Wait for it in the handler, or wrap it in Database.outsideTransaction."
    )
  }
}
