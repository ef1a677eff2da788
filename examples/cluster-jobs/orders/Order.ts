/** The data of orders. */
import * as Schema from "effect/Schema"

export const OrderId = Schema.String.check(Schema.isPattern(/^[a-z0-9-]{1,40}$/))

export const Order = Schema.Struct({
  /** The client chooses it: an order that is sent twice is one order. */
  id: OrderId,
  /** Cents. The bank of the example declines more than 100 000. */
  price: Schema.Int.check(Schema.isBetween({ maximum: 1_000_000, minimum: 1 })),
  product: Schema.String,
  quantity: Schema.Int.check(Schema.isBetween({ maximum: 100, minimum: 1 }))
})

export type Order = typeof Order.Type

export const Step = Schema.Literals(["charge", "refund", "release", "reserve", "ship"])

export type Step = typeof Step.Type

export const Status = Schema.Struct({
  /** The code of the error with which it has failed. */
  error: Schema.optionalKey(Schema.String),
  state: Schema.Literals(["failed", "running", "shipped"]),
  /** What was done so far, in its order. */
  steps: Schema.Array(Step)
})
