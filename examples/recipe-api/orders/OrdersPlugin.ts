/** The orders: their repository, and the handlers of their contract. */
import * as Effect from "effect/Effect"
import { Created, CurrentIdentity, Plugin, Route } from "flange"
import { OrdersApi } from "./OrdersApi.ts"
import { OrdersRepo } from "./OrdersRepo.ts"

const OrdersRoutes = Route.protected(OrdersApi, (handlers) =>
  Effect.gen(function* () {
    const orders = yield* OrdersRepo
    return handlers.handleAll({
      create: Effect.fnUntraced(function* ({ payload }) {
        const order = yield* orders.create(yield* CurrentIdentity, payload)
        return Created.at(`/v1/orders/${order.id}`, { order })
      }),
      list: Effect.fnUntraced(function* ({ query }) {
        return yield* orders.list(yield* CurrentIdentity, query)
      }),
      read: Effect.fnUntraced(function* ({ params }) {
        const order = yield* orders.read(yield* CurrentIdentity, params.orderId)
        return { order }
      })
    })
  })
)

export const OrdersPlugin = Plugin.make("app:orders", {
  layer: OrdersRepo.layer,
  provides: [OrdersRepo],
  routes: [OrdersRoutes]
})
