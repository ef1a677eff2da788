/** The repository of the orders: the table, and the objects of the invoices. */
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { DynamoDb, type ReadFailure, type WriteFailure } from "flange/DynamoDb"
import { ObjectStore, type WriteFailure as StoreFailure } from "flange/ObjectStore"
import { type Order, type OrderDraft, OrderId } from "./Order.ts"
import { maxInvoice, OrderNotFound, OrderNotOpen } from "./OrdersApi.ts"
import { OrdersTable } from "./OrdersTable.ts"

/** The key of an order: its customer and its id. */
export interface OrderKey {
  readonly customer: string
  readonly id: OrderId
}

/** The key of the object with the invoice of an order. */
export const invoiceKey = ({ customer, id }: OrderKey): string => `invoices/${customer}/${id}.pdf`

export class OrdersRepo extends Context.Service<
  OrdersRepo,
  {
    readonly create: (
      customer: string,
      draft: OrderDraft
    ) => Effect.Effect<Order, ReadFailure | WriteFailure>
    /** Orders of a customer, newest first. */
    readonly list: (
      customer: string,
      page: { readonly after?: OrderId | undefined; readonly limit?: number | undefined }
    ) => Effect.Effect<ReadonlyArray<Order>, ReadFailure>
    /** Of two callers at the same time, one gets `OrderNotOpen`. */
    readonly pay: (
      key: OrderKey
    ) => Effect.Effect<Order, OrderNotFound | OrderNotOpen | ReadFailure | WriteFailure>
    readonly read: (key: OrderKey) => Effect.Effect<Order, OrderNotFound | ReadFailure>
    /** Stores a PDF as it comes, and then its digest in the order. */
    readonly setInvoice: (
      key: OrderKey,
      content: Stream.Stream<Uint8Array>
    ) => Effect.Effect<Order, OrderNotFound | ReadFailure | StoreFailure | WriteFailure>
  }
>()("orders-aws/OrdersRepo") {
  static readonly layer = Layer.effect(
    OrdersRepo,
    Effect.gen(function* () {
      const orders = (yield* DynamoDb).table(OrdersTable)
      const store = yield* ObjectStore
      const random = yield* SecureRandom.SecureRandom

      const read = Effect.fnUntraced(function* (key: OrderKey) {
        return (yield* orders.get(key)) ?? (yield* new OrderNotFound({ id: key.id }))
      })

      return OrdersRepo.of({
        create: Effect.fnUntraced(function* (customer, draft) {
          const id = OrderId.make(yield* random.uuidV7())
          const order: Order = { ...draft, customer, id, status: "open" }
          // An id is new. If it is not, a caller cannot act on that.
          yield* Effect.catchTag(orders.put(order, { if: "absent" }), "ConditionFailed", Effect.die)
          return order
        }),
        list: (customer, { after, limit = 20 }) =>
          Stream.runCollect(
            orders.query(customer, {
              after: after === undefined ? undefined : { customer, id: after },
              descending: true,
              limit
            })
          ),
        pay: Effect.fnUntraced(function* (key) {
          const { id } = key
          const change = { set: { status: "paid" } } as const
          return yield* Effect.catchTag(
            orders.update(key, change, { if: { status: "open" } }),
            "ConditionFailed",
            () => Effect.andThen(read(key), Effect.fail(new OrderNotOpen({ id })))
          )
        }),
        read,
        setInvoice: Effect.fnUntraced(function* (key, content) {
          yield* read(key)
          const { sha256 } = yield* store.put(invoiceKey(key), content, {
            maxBytes: maxInvoice,
            types: ["application/pdf"]
          })
          return yield* Effect.catchTag(
            orders.update(key, { set: { invoice: sha256 } }),
            "ConditionFailed",
            () => Effect.fail(new OrderNotFound({ id: key.id }))
          )
        })
      })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}
