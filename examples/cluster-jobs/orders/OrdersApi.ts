/** The contract of the orders. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { ApiError } from "flange/Contract"
import { Order, OrderId, Status } from "./Order.ts"

export class OrderNotFound extends ApiError.make<OrderNotFound>()(
  "OrderNotFound",
  { code: "ORDER_NOT_FOUND", detail: ({ id }) => `Order ${id} does not exist`, status: 404 },
  { id: OrderId }
) {}

export class OutOfStock extends ApiError.make<OutOfStock>()(
  "OutOfStock",
  {
    code: "OUT_OF_STOCK",
    detail: ({ product }) => `There is not enough of ${product}`,
    status: 409
  },
  { product: Schema.String }
) {}

export class PaymentDeclined extends ApiError.make<PaymentDeclined>()(
  "PaymentDeclined",
  { code: "PAYMENT_DECLINED", detail: () => "The bank has declined the payment", status: 402 },
  { id: OrderId }
) {}

/** The errors of the workflow, which are those of a caller who waits for it. */
export const OrderFailed = Schema.Union([OutOfStock, PaymentDeclined])

export class OrdersApi extends HttpApiGroup.make("orders").add(
  /** Answers when the order is shipped, or with its error. */
  HttpApiEndpoint.post("place", "/v1/orders", {
    error: [OutOfStock, PaymentDeclined],
    payload: Order,
    success: Status
  }),
  /** Answers at once. */
  HttpApiEndpoint.put("start", "/v1/orders/:id", {
    params: { id: OrderId },
    payload: Schema.Struct({
      price: Order.fields.price,
      product: Order.fields.product,
      quantity: Order.fields.quantity
    }),
    success: HttpApiSchema.Empty(202)
  }),
  HttpApiEndpoint.get("status", "/v1/orders/:id", {
    error: OrderNotFound,
    params: { id: OrderId },
    success: Status
  })
) {}
