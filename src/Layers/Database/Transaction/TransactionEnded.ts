/** The defect of a query after the end of its transaction. */
import * as Schema from "effect/Schema"

/**
 * A query was sent after the transaction of its request had been committed or
 * rolled back: by a fiber that outlived its handler, or by a stream that the handler
 * returned. The connection may serve another request by then.
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
