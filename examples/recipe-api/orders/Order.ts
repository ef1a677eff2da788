/** The schemas of an order, shared by the server and every client. */
import * as Schema from "effect/Schema"

/** The server creates ids as UUIDs of version 7, so that they sort by creation time. */
export const OrderId = Schema.String.check(Schema.isUUID(7)).pipe(Schema.brand("OrderId"))
export type OrderId = typeof OrderId.Type

export const Order = Schema.Struct({
  /** The subject of the caller that placed it. */
  createdBy: Schema.String,
  customer: Schema.String,
  id: OrderId,
  items: Schema.Array(Schema.String),
  status: Schema.Literal("received")
})
export type Order = typeof Order.Type

const customerRequired = "customer is required"
const itemRequired = "at least one item is required"

/** Text that is not blank. */
const filled = (message: string) => Schema.String.check(Schema.isPattern(/\S/, { message }))

/** The body of POST. The messages are what callers read in `errors`. */
export const OrderDraft = Schema.Struct({
  customer: filled(customerRequired).pipe(
    Schema.annotateKey({ messageMissingKey: customerRequired })
  ),
  items: Schema.Array(filled("items cannot be blank"))
    .check(Schema.isMinLength(1, { message: itemRequired }))
    .pipe(Schema.annotateKey({ messageMissingKey: itemRequired }))
})
export type OrderDraft = typeof OrderDraft.Type
