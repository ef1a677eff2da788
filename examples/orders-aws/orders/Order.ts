/** The schemas of an order. It is stored as clients see it. */
import * as Schema from "effect/Schema"

/** The server creates ids as UUIDs of version 7, so that the sort key is the order of time. */
export const OrderId = Schema.String.check(Schema.isUUID(7)).pipe(Schema.brand("OrderId"))
export type OrderId = typeof OrderId.Type

export const Order = Schema.Struct({
  /** The caller that placed it. */
  customer: Schema.String,
  id: OrderId,
  /** The SHA-256 of the invoice, if there is one. */
  invoice: Schema.optionalKey(Schema.String),
  note: Schema.optionalKey(Schema.String),
  status: Schema.Literals(["open", "paid"]),
  /** Cents. */
  total: Schema.Int
})
export type Order = typeof Order.Type

export const OrderDraft = Schema.Struct({
  note: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(1000))),
  total: Schema.Int.check(Schema.isGreaterThan(0))
})
export type OrderDraft = typeof OrderDraft.Type
