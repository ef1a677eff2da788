/** The plugin of the orders: repository and handlers. */
import * as Effect from "effect/Effect"
import { Plugin, Route } from "flange"
import { ObjectCache } from "flange/Cache"
import { Created } from "flange/Contract"
import { OrdersApi } from "./OrdersApi.ts"
import { OrdersRepo } from "./OrdersRepo.ts"

const OrdersRoutes = Route.protected(OrdersApi, (handlers) =>
  Effect.gen(function* () {
    const orders = yield* OrdersRepo
    return handlers.handleAll({
      create: Effect.fnUntraced(function* ({ identity, payload }) {
        const order = yield* orders.create(identity, payload)
        return Created.at(`/v1/orders/${order.id}`, { order })
      }),
      list: ({ identity, query }) => orders.list(identity, query),
      read: Effect.fnUntraced(function* ({ identity, params }) {
        const order = yield* orders.read(identity, params.orderId)
        return { order }
      })
    })
  })
)

export const OrdersPlugin = Plugin.make("app:orders", {
  layer: OrdersRepo.layer,
  provides: [OrdersRepo],
  requires: [ObjectCache],
  routes: [OrdersRoutes]
})
