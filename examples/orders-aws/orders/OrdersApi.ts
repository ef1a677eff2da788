/** The contract of the orders. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { ApiError, Authentication, BodyLimit, Created } from "flange/Contract"
import * as DynamoDb from "flange/DynamoDb/Contract"
import * as ObjectStore from "flange/ObjectStore/Contract"
import { Order, OrderDraft, OrderId } from "./Order.ts"

/** Also the error for an order of another customer. */
export class OrderNotFound extends ApiError.make<OrderNotFound>()(
  "OrderNotFound",
  { code: "ORDER_NOT_FOUND", detail: ({ id }) => `Order ${id} does not exist`, status: 404 },
  { id: OrderId }
) {}

export class OrderNotOpen extends ApiError.make<OrderNotOpen>()(
  "OrderNotOpen",
  { code: "ORDER_NOT_OPEN", detail: ({ id }) => `Order ${id} is paid`, status: 409 },
  { id: OrderId }
) {}

/** The longest invoice in bytes. */
export const maxInvoice = 5 * 2 ** 20

const params = { id: OrderId }

const read = [OrderNotFound, ...DynamoDb.readErrors] as const

export class OrdersApi extends HttpApiGroup.make("orders")
  .add(
    HttpApiEndpoint.post("create", "/v1/orders", {
      error: DynamoDb.writeErrors,
      payload: OrderDraft,
      success: Created(Order)
    }),
    HttpApiEndpoint.get("invoice", "/v1/orders/:id/invoice", {
      error: [...read, ...ObjectStore.readErrors],
      params,
      success: HttpApiSchema.StreamUint8Array()
    }),
    HttpApiEndpoint.get("list", "/v1/orders", {
      error: DynamoDb.readErrors,
      query: {
        /** The id of the last order of the page before. */
        after: Schema.optionalKey(OrderId),
        limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ maximum: 100, minimum: 1 })))
      },
      /** Newest first. */
      success: Schema.Struct({ orders: Schema.Array(Order) })
    }),
    HttpApiEndpoint.post("pay", "/v1/orders/:id/payment", {
      error: [OrderNotOpen, ...read, ...DynamoDb.writeErrors],
      params,
      success: Order
    }),
    HttpApiEndpoint.get("read", "/v1/orders/:id", { error: read, params, success: Order }),
    HttpApiEndpoint.put("setInvoice", "/v1/orders/:id/invoice", {
      error: [...read, ...DynamoDb.writeErrors, ...ObjectStore.writeErrors],
      params,
      payload: HttpApiSchema.StreamUint8Array(),
      success: Order
    }).annotate(BodyLimit, maxInvoice)
  )
  .middleware(Authentication.Default) {}
