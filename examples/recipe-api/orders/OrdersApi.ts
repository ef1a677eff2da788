/** The contract of the orders, with the scopes that callers need. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import * as Auth from "flange/Auth/Contract"
import { ApiError, Authentication, Created, Pagination } from "flange/Contract"
import { Order, OrderDraft, OrderId } from "./Order.ts"

/**
 * Also the error for an order of another caller, so that callers cannot find out which ids exist.
 */
export class OrderNotFound extends ApiError.make<OrderNotFound>()(
  "OrderNotFound",
  { code: "ORDER_NOT_FOUND", detail: ({ id }) => `Order ${id} does not exist`, status: 404 },
  { id: OrderId }
) {}

export const OneOrder = Schema.Struct({ order: Order })

/** `customer` selects the orders whose customer contains the text, ignoring case. */
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
    Auth.unguarded(
      HttpApiEndpoint.get("list", "/v1/orders", { query: OrdersQuery, success: OrdersPage })
    ),
    Auth.unguarded(
      HttpApiEndpoint.get("read", "/v1/orders/:orderId", {
        error: OrderNotFound,
        params: { orderId: OrderId },
        success: OneOrder
      })
    )
  )
  // Clients created from the contract know the 401 because of it.
  .middleware(Authentication.Default) {}
