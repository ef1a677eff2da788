/** An app that writes an order and enqueues an item for it, in one transaction. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import { Plugin, Route } from "flange"
import { unguarded } from "flange/Auth/Contract"
import * as Database from "flange/Database"
import * as Idempotency from "flange/Idempotency"
import { IdempotencyErrors, Idempotent } from "flange/Idempotency/Contract"
import * as Queue from "flange/Queue"
import { AuthPlugin } from "../Idempotency/fixtures.ts"

class OrdersApi extends HttpApiGroup.make("orders").add(
  unguarded(
    HttpApiEndpoint.post("order", "/payments", {
      payload: Schema.Struct({ amount: Schema.Int }),
      success: Schema.String
    })
  )
    .middleware(IdempotencyErrors)
    .annotate(Idempotent, Idempotent.keyed({ required: true }))
) {}

export const Invoices = Queue.make("invoices", {
  payload: Schema.Struct({ order: Schema.String })
})

/** Returns the plugins of the app. `between` runs after the write, `after` after the enqueue. */
export const plugins = (between: Effect.Effect<void>, after: Effect.Effect<void>) =>
  [
    AuthPlugin,
    Database.plugin,
    Database.transactional(),
    Idempotency.withDatabase,
    Queue.withDatabase,
    Plugin.make("app:orders", {
      ready: () =>
        SqlClient.use((sql) => sql`create table if not exists orders (id text primary key)`).pipe(
          Effect.asVoid
        ),
      requires: [Queue.Queues, SqlClient],
      routes: [
        Route.protected(
          OrdersApi,
          Effect.fn(function* (handlers) {
            const sql = yield* SqlClient
            const queues = yield* Queue.Queues
            return handlers.handleAll({
              order: Effect.fn(function* () {
                const id = crypto.randomUUID()
                yield* Effect.orDie(sql`insert into orders (id) values (${id})`)
                yield* between
                yield* Invoices.enqueue({ order: id }).pipe(
                  Effect.provideService(Queue.Queues, queues),
                  Effect.orDie
                )
                yield* after
                return id
              })
            })
          })
        )
      ]
    })
  ] as const
