/** The plugin of the orders. */
import * as Effect from "effect/Effect"
import { Plugin, Route } from "flange"
import { OrdersApi } from "./OrdersApi.ts"

export const OrdersPlugin = Plugin.make("app:orders", {
  routes: [
    Route.public(OrdersApi, (handlers) =>
      handlers.handleAll({
        read: ({ params }) => Effect.succeed({ id: params.id, servedBy: "flange" })
      })
    )
  ]
})
