/**
 * The routes of the orders, which any server answers, their workflow and their notices, which any worker carries
 * out, and a job, which a scheduler runs.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { SqlClient } from "effect/sql/SqlClient"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { Plugin, RequestId, Route } from "flange"
import * as Cluster from "flange/Cluster"
import { Job } from "flange/Jobs"
import { Queues } from "flange/Queue"
import { tell } from "./Notices.ts"
import { OrderConfig } from "./OrderConfig.ts"
import { OrderNotFound, OrdersApi } from "./OrdersApi.ts"
import { OrderWorkflow, run } from "./OrderWorkflow.ts"
import { Warehouse } from "./Warehouse.ts"

const statusOf = Effect.fn(function* (id: string) {
  const { steps } = yield* Warehouse
  // The id is all that the key of an execution depends on.
  const execution = yield* OrderWorkflow.executionId({
    id,
    price: 1,
    product: "",
    quantity: 1,
    requestId: ""
  })
  const result = yield* OrderWorkflow.poll(execution)
  const done = yield* steps(id)
  if (Option.isNone(result) || result.value._tag === "Suspended") {
    return done.length === 0 && Option.isNone(result)
      ? undefined
      : ({ state: "running", steps: done } as const)
  }
  const { exit } = result.value
  if (Exit.isSuccess(exit)) return { state: "shipped", steps: done } as const
  const error = Option.getOrUndefined(Exit.findErrorOption(exit))
  return { error: error?._tag ?? "Defect", state: "failed", steps: done } as const
})

/** Every five seconds one of the schedulers, however many there are, writes how many orders are open. */
const countOpen = Job.every(
  "orders:open",
  "5 seconds",
  Effect.gen(function* () {
    const { open } = yield* Warehouse
    yield* Effect.log(`Open orders: ${yield* open}`)
  })
)

export const OrdersPlugin = Plugin.make("app:orders", {
  config: [OrderConfig],
  contributes: [Cluster.workflow(OrderWorkflow, run), countOpen, tell],
  layer: Warehouse.layer,
  migrations: new URL("../migrations", import.meta.url),
  provides: [Warehouse],
  requires: [Queues, SqlClient, WorkflowEngine],
  routes: [
    Route.public(OrdersApi, (handlers) =>
      handlers.handleAll({
        place: ({ payload }) =>
          Effect.gen(function* () {
            yield* OrderWorkflow.execute({ ...payload, requestId: yield* RequestId })
            const { steps } = yield* Warehouse
            return { state: "shipped", steps: yield* steps(payload.id) } as const
          }),
        start: ({ params, payload }) =>
          Effect.gen(function* () {
            yield* OrderWorkflow.execute(
              { ...payload, ...params, requestId: yield* RequestId },
              { discard: true }
            )
          }),
        status: ({ params }) =>
          Effect.flatMap(statusOf(params.id), (status) =>
            status === undefined ? Effect.fail(new OrderNotFound(params)) : Effect.succeed(status)
          )
      })
    )
  ]
})
