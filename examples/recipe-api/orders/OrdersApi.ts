/** The contract of the orders, with who may do what. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import * as Auth from "flange/Auth/Contract"
import { ApiError, Authentication, Created, Pagination } from "flange/Contract"
import { Order, OrderDraft, OrderId } from "./Order.ts"

/** Also the answer about an order of somebody else, so that nobody learns which ids exist. */
export class OrderNotFound extends ApiError.make<OrderNotFound>()(
  "OrderNotFound",
  { code: "ORDER_NOT_FOUND", detail: ({ id }) => `Order ${id} does not exist`, status: 404 },
  { id: OrderId }
) {}

export const OneOrder = Schema.Struct({ order: Order })

/** `customer` finds those whose name has the text in it, in capitals or not. */
export const OrdersQuery = Schema.Struct({
  ...Pagination.query,
  customer: Schema.optionalKey(Schema.String)
})
export type OrdersQuery = typeof OrdersQuery.Type

export const OrdersPage = Schema.Struct({
  limit: Schema.Int,
  orders: Schema.Array(Order),
  page: Schema.Int,
  /** How many orders there are on all pages. */
  total: Schema.Int
})
export type OrdersPage = typeof OrdersPage.Type

export class OrdersApi extends HttpApiGroup.make("orders")
  .add(
    HttpApiEndpoint.post("create", "/v1/orders", {
      payload: OrderDraft,
      success: Created(OneOrder)
    }).middleware(Auth.requireScopes("orders:write")),
    HttpApiEndpoint.get("list", "/v1/orders", { query: OrdersQuery, success: OrdersPage }),
    HttpApiEndpoint.get("read", "/v1/orders/:orderId", {
      error: OrderNotFound,
      params: { orderId: OrderId },
      success: OneOrder
    })
  )
  // Clients of the contract alone know the 401 by it.
  .middleware(Authentication.Default) {}
