/** The orders: their repository, and the handlers of their contract. */
import * as Effect from "effect/Effect"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import { Plugin, Route } from "flange"
import { OrdersApi } from "./OrdersApi.ts"
import { OrdersRepo } from "./OrdersRepo.ts"

const OrdersRoutes = Route.protected(OrdersApi, (handlers) =>
  Effect.gen(function* () {
    const orders = yield* OrdersRepo
    return handlers.handleAll({
      create: Effect.fnUntraced(function* ({ identity, payload }) {
        const order = yield* orders.create(identity, payload)
        return HttpApiSchema.withHeaders({
          body: { order },
          headers: { location: `/v1/orders/${order.id}` }
        })
      }),
      list: ({ identity, query }) => orders.list(identity, query),
      read: ({ identity, params }) =>
        Effect.map(orders.read(identity, params.orderId), (order) => ({ order }))
    })
  })
)

export const OrdersPlugin = Plugin.make("app:orders", {
  layer: OrdersRepo.layer,
  provides: [OrdersRepo],
  routes: [OrdersRoutes]
})
