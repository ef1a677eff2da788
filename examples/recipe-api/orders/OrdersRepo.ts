/** The repository of the orders, and which callers see an order. */
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Identity } from "flange"
import { CacheKey, ObjectCache } from "flange/Cache"
import { Pagination } from "flange/Contract"
import { type Order, type OrderDraft, OrderId } from "./Order.ts"
import { OrderNotFound, OrdersPage, type OrdersQuery } from "./OrdersApi.ts"

/** The pages of lists in the cache: those of everyone's orders, and those of each caller. */
const pages = "order-pages"
const everyone = "everyone"

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
  /** Keeps the orders in memory until the process ends, and pages of them in the cache. */
  static readonly layer = Layer.effect(
    OrdersRepo,
    Effect.gen(function* () {
      const cache = yield* ObjectCache
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
          yield* cache.invalidate(
            CacheKey.prefix(pages, everyone),
            CacheKey.prefix(pages, "of", caller.subject)
          )
          return order
        }),
        list: (caller, query) => {
          const { customer = "", limit, page } = query
          const seen = caller.isPrivileged ? [everyone] : ["of", caller.subject]
          const find = Effect.sync(() => {
            const wanted = customer.toLowerCase()
            const found = [...orders.values()].filter(
              (order) => sees(caller, order) && order.customer.toLowerCase().includes(wanted)
            )
            const start = Pagination.offset(query)
            return { limit, orders: found.slice(start, start + limit), page, total: found.length }
          })
          const key = CacheKey.of(pages, ...seen, limit, page, customer)
          return cache.getOrLoad(key, { schema: OrdersPage, ttl: "1 minute" }, find)
        },
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
