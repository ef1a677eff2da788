/** The steps of an order in the database. Each is one transaction, and carried out once. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SqlClient } from "effect/sql/SqlClient"
import { Queues } from "flange/Queue"
import { Notices } from "./Notices.ts"
import type { Order, Step } from "./Order.ts"
import { OutOfStock, PaymentDeclined } from "./OrdersApi.ts"

const make = Effect.gen(function* () {
  const queues = yield* Queues
  const sql = yield* SqlClient

  /**
   * Carries out a step in the transaction that notes it. An activity whose process was killed after the
   * commit runs again: it finds its note, and does nothing.
   */
  const once = <E>(id: string, step: Step, effect: Effect.Effect<void, E>) =>
    sql
      .withTransaction(
        Effect.gen(function* () {
          const noted = yield* sql`insert into order_steps ${sql.insert({
            order_id: id,
            step,
            worker: process.pid
          })} on conflict do nothing returning step`.pipe(Effect.orDie)
          if (noted.length > 0) yield* effect
        })
      )
      .pipe(Effect.catchTag("SqlError", Effect.die)) as Effect.Effect<
      void,
      Exclude<E, { _tag: "SqlError" }>
    >

  const change = (product: string, by: number) =>
    Effect.orDie(
      sql`update stock set quantity = quantity + ${by} where product = ${product} and quantity + ${by} >= 0 returning product`
    )

  return {
    charge: ({ id, price }: Order) =>
      once(id, "charge", price > 100_000 ? Effect.fail(new PaymentDeclined({ id })) : Effect.void),
    /** How many orders are neither shipped nor undone. */
    open: Effect.map(
      Effect.orDie(
        sql<{
          count: number
        }>`select count(*)::int as count from order_steps reserved where step = 'reserve'
          and not exists (select 1 from order_steps ended where ended.order_id = reserved.order_id
            and ended.step in ('release', 'ship'))`
      ),
      (rows) => rows[0]!.count
    ),
    refund: ({ id }: Order) => once(id, "refund", Effect.void),
    release: ({ id, product, quantity }: Order) =>
      once(id, "release", Effect.asVoid(change(product, quantity))),
    reserve: ({ id, product, quantity }: Order) =>
      once(
        id,
        "reserve",
        Effect.gen(function* () {
          const changed = yield* change(product, -quantity)
          if (changed.length === 0) return yield* new OutOfStock({ product })
        })
      ),
    /**
     * The carrier of the example takes no order of a product whose name begins with `fragile`. The notice to the
     * customer commits with the step: neither is there without the other.
     */
    ship: ({ id, product }: Order) =>
      once(
        id,
        "ship",
        product.startsWith("fragile")
          ? Effect.fail(new OutOfStock({ product }))
          : Notices.enqueue({ order: id }).pipe(
              Effect.orDie,
              Effect.provideService(Queues, queues),
              Effect.asVoid
            )
      ),
    steps: (id: string) =>
      Effect.map(
        Effect.orDie(
          sql<{ step: Step }>`select step from order_steps where order_id = ${id} order by at`
        ),
        (rows) => rows.map(({ step }) => step)
      )
  }
})

export class Warehouse extends Context.Service<Warehouse, Effect.Success<typeof make>>()(
  "cluster-jobs/Warehouse"
) {
  static readonly layer = Layer.effect(Warehouse, make)
}
