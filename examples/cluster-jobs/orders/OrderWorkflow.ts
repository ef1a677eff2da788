/**
 * The durable order: reserve, charge, pack, ship. It survives the end of its process between any two steps,
 * and a step that has ended is not carried out again. A failure undoes the steps before it, the last first.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Activity from "effect/workflow/Activity"
import * as DurableClock from "effect/workflow/DurableClock"
import * as Workflow from "effect/workflow/Workflow"
import { RequestId } from "flange"
import { Order } from "./Order.ts"
import { OrderConfig } from "./OrderConfig.ts"
import { OrderFailed, OutOfStock, PaymentDeclined } from "./OrdersApi.ts"
import { Warehouse } from "./Warehouse.ts"

export const OrderWorkflow = Workflow.make("Order", {
  error: OrderFailed,
  // An order that is sent again joins the run that there is.
  idempotencyKey: ({ id }) => id,
  payload: {
    ...Order.fields,
    /** The id of the request that started it: the lines of the workers have it too. */
    requestId: Schema.String
  }
})

export const run = ({ requestId, ...order }: Order & { readonly requestId: string }) =>
  Effect.gen(function* () {
    const warehouse = yield* Warehouse
    const { packing } = yield* OrderConfig

    yield* Activity.make({
      error: OutOfStock,
      execute: warehouse.reserve(order),
      name: "reserve"
    }).pipe(OrderWorkflow.withCompensation(() => compensate("release", warehouse.release(order))))

    yield* Activity.make({
      error: PaymentDeclined,
      execute: warehouse.charge(order),
      name: "charge"
    }).pipe(OrderWorkflow.withCompensation(() => compensate("refund", warehouse.refund(order))))

    yield* DurableClock.sleep({ duration: packing, name: "packing" })

    yield* Activity.make({
      error: OutOfStock,
      execute: warehouse.ship(order),
      name: "ship"
    })
    yield* Effect.log(`Order ${order.id} is shipped`)
  }).pipe(Effect.annotateLogs({ requestId }), Effect.provideService(RequestId, requestId))

/** A compensation is an activity too: a process that is killed while it undoes does not undo twice. */
const compensate = <R>(name: string, execute: Effect.Effect<void, never, R>) =>
  Activity.make({ execute, name })
