/** The repository of the orders, and which callers see an order. */
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Identity } from "flange"
import { Pagination } from "flange/Contract"
import { type Order, type OrderDraft, OrderId } from "./Order.ts"
import { OrderNotFound, type OrdersPage, type OrdersQuery } from "./OrdersApi.ts"

export class OrdersRepo extends Context.Service<
  OrdersRepo,
  {
    readonly create: (caller: Identity, draft: OrderDraft) => Effect.Effect<Order>
    /** One page of what the caller sees, oldest first. */
    readonly list: (caller: Identity, query: OrdersQuery) => Effect.Effect<OrdersPage>
    /** Fails with `OrderNotFound` also if the order exists and the caller does not see it. */
    readonly read: (caller: Identity, id: OrderId) => Effect.Effect<Order, OrderNotFound>
  }
>()("recipe/OrdersRepo") {
  /** Keeps the orders in memory until the process ends. */
  static readonly layer = Layer.effect(
    OrdersRepo,
    Effect.gen(function* () {
      const random = yield* SecureRandom.SecureRandom
      const orders = new Map<OrderId, Order>()

      return OrdersRepo.of({
        create: Effect.fn("OrdersRepo.create")(function* (caller, { customer, items }) {
          const order: Order = {
            createdBy: caller.subject,
            customer: customer.trim(),
            id: OrderId.make(yield* random.uuidV7()),
            items: items.map((item) => item.trim()),
            status: "received"
          }
          orders.set(order.id, order)
          return order
        }),
        list: (caller, query) =>
          Effect.sync(() => {
            const wanted = (query.customer ?? "").toLowerCase()
            const found = [...orders.values()].filter(
              (order) => sees(caller, order) && order.customer.toLowerCase().includes(wanted)
            )
            const start = Pagination.offset(query)
            return {
              limit: query.limit,
              orders: found.slice(start, start + query.limit),
              page: query.page,
              total: found.length
            }
          }),
        read: Effect.fnUntraced(function* (caller, id) {
          const order = orders.get(id)
          if (order === undefined || !sees(caller, order)) return yield* new OrderNotFound({ id })
          return order
        })
      })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}

/** Callers see their own orders. Privileged callers see all orders. */
const sees = (caller: Identity, { createdBy }: Order): boolean =>
  caller.isPrivileged || createdBy === caller.subject
