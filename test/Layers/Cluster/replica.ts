// One process of a cluster. The first activity of STEP=hang never ends. Run by Processes.test.ts.
import * as Effect from "effect/Effect"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { App, Plugin } from "flange"
import * as Cluster from "flange/Cluster"
import * as Database from "flange/Database"
import * as order from "./order.ts"

const start = process.env["START"]

const Probe = Plugin.make("app:probe", {
  ready: ({ address }) =>
    Effect.gen(function* () {
      if (start !== undefined) {
        yield* Effect.orDie(order.Order.execute({ id: start }, { discard: true }))
      }
      yield* Effect.sync(() => console.log(`listening ${address}`))
    }),
  requires: [WorkflowEngine]
})

App.run(
  App.make("shop", [
    Database.plugin,
    Cluster.plugin,
    ...(process.env["FLANGE_ROLE"] === "server"
      ? []
      : [order.plugin(process.env["STEP"] === "hang" ? Effect.never : Effect.void)]),
    Probe
  ])
)
