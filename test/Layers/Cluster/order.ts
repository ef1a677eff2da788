// A workflow of two activities with a pause between them, and its plugin.
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import * as Activity from "effect/workflow/Activity"
import * as DurableClock from "effect/workflow/DurableClock"
import * as Workflow from "effect/workflow/Workflow"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { Plugin } from "flange"

export const Order = Workflow.make("Order", {
  idempotencyKey: ({ id }) => id,
  payload: { id: Schema.String },
  success: Schema.String
})

const step = (name: string, work: Effect.Effect<void, never, SqlClient> = Effect.void) =>
  Activity.make({
    execute: Effect.gen(function* () {
      const sql = yield* SqlClient
      yield* Effect.orDie(sql`insert into steps (name, pid) values (${name}, ${process.pid})`)
      yield* Effect.sync(() => console.log(`step ${name}`))
      yield* work
    }),
    name
  })

/** `second` runs in the second activity. */
export const plugin = (second: Effect.Effect<void> = Effect.void) =>
  Plugin.make("app:order", {
    layer: Order.toLayer(({ id }) =>
      Effect.gen(function* () {
        yield* step("first")
        yield* DurableClock.sleep({ duration: "50 millis", inMemoryThreshold: 0, name: "pause" })
        yield* step("second", second)
        return `${id} is done`
      })
    ).pipe(
      Layer.provide(
        Layer.effectDiscard(
          Effect.flatMap(SqlClient, (sql) =>
            Effect.ignore(sql`create table if not exists steps (name text, pid integer)`)
          )
        )
      )
    ),
    requires: [SqlClient, WorkflowEngine]
  })
