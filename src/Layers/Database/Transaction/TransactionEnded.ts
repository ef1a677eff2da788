/** The defect of a query after the end of its transaction. */
import * as Schema from "effect/Schema"

/**
 * A query was sent after its transaction, or the savepoint of its nested transaction, had
 * been committed or rolled back: by a fiber that outlived it, or by a stream that a
 * handler returned. The connection may serve another request by then.
 */
export class TransactionEnded extends Schema.TaggedError<TransactionEnded>()("TransactionEnded", {
  sql: Schema.String
}) {
  override get message(): string {
    return (
      `The query \`${this.sql}\` came after its transaction had ended: ` +
      "it runs in a fiber that outlives the transaction, or in a stream that the handler returned. " +
      "Wait for it in the transaction, or wrap it in Database.outsideTransaction."
    )
  }
}
