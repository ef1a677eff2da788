/** The plugin of the orders: repository and handlers. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Plugin, Route } from "flange"
import { Created } from "flange/Contract"
import { DynamoDb } from "flange/DynamoDb"
import { ObjectStore, toResponse } from "flange/ObjectStore"
import { OrdersApi } from "./OrdersApi.ts"
import { invoiceKey, OrdersRepo } from "./OrdersRepo.ts"
import { OrdersTable } from "./OrdersTable.ts"

const OrdersRoutes = Route.protected(OrdersApi, (handlers) =>
  Effect.map(OrdersRepo, (orders) =>
    handlers.handleAll({
      create: Effect.fnUntraced(function* ({ identity, payload }) {
        const order = yield* orders.create(identity.subject, payload)
        return Created.at(`/v1/orders/${order.id}`, order)
      }),
      invoice: Effect.fnUntraced(function* ({ identity, params }) {
        const order = yield* orders.read({ ...params, customer: identity.subject })
        return yield* toResponse(invoiceKey(order))
      }),
      list: ({ identity, query }) =>
        Effect.map(orders.list(identity.subject, query), (found) => ({ orders: found })),
      pay: ({ identity, params }) => orders.pay({ ...params, customer: identity.subject }),
      read: ({ identity, params }) => orders.read({ ...params, customer: identity.subject }),
      setInvoice: ({ identity, params, payload }) =>
        orders.setInvoice({ ...params, customer: identity.subject }, Stream.orDie(payload))
    })
  )
)

export const OrdersPlugin = Plugin.make("app:orders", {
  layer: OrdersRepo.layer,
  provides: [OrdersRepo],
  // In other environments, what creates the other resources creates the table.
  ready: ({ environment }) =>
    environment === "local" ? DynamoDb.use((dynamo) => dynamo.create(OrdersTable)) : Effect.void,
  requires: [DynamoDb, ObjectStore],
  routes: [OrdersRoutes]
})
