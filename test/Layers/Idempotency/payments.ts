/** An app that writes a payment for each request with a key, in its database. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import { App, Plugin, Route } from "flange"
import { unguarded } from "flange/Auth/Contract"
import { ApiError, Created } from "flange/Contract"
import * as Database from "flange/Database"
import * as Idempotency from "flange/Idempotency"
import { IdempotencyErrors, Idempotent } from "flange/Idempotency/Contract"
import { AuthPlugin } from "./fixtures.ts"

const Payment = Schema.Struct({ amount: Schema.Int, id: Schema.String })

export class LimitReached extends ApiError.make<LimitReached>()("LimitReached", {
  code: "LIMIT_REACHED",
  detail: "The limit is reached",
  status: 409
}) {}

export class PaymentsApi extends HttpApiGroup.make("payments").add(
  unguarded(
    HttpApiEndpoint.post("pay", "/payments", {
      error: LimitReached,
      payload: Schema.Struct({ amount: Schema.Int }),
      success: Created(Payment)
    })
  )
    .middleware(IdempotencyErrors)
    .annotate(Idempotent, Idempotent.keyed({ required: true }))
) {}

/** What a test does at points of the handler and around it. */
export interface Script {
  /** Runs in the transaction, after the write. */
  written: (amount: number) => Effect.Effect<void, LimitReached>
}

/** Creates the app on a database. */
export const make = (
  url: string,
  script: Script,
  options: Database.TransactionalOptions = {},
  idempotency: object = {}
) =>
  App.make("shop", plugins(script, options), {
    config: { values: { database: { url }, idempotency } }
  })

/** Returns the plugins of the app. */
export const plugins = (script: Script, options: Database.TransactionalOptions = {}) => {
  const Payments = Plugin.make("app:payments", {
    ready: () =>
      SqlClient.use(
        (sql) =>
          sql`create table if not exists payments (id char(36) primary key, amount integer not null)`
      ).pipe(Effect.asVoid),
    requires: [SqlClient],
    routes: [
      Route.protected(
        PaymentsApi,
        Effect.fn(function* (handlers) {
          const sql = yield* SqlClient
          return handlers.handleAll({
            pay: Effect.fn(function* ({ payload: { amount } }) {
              const id = crypto.randomUUID()
              yield* Effect.orDie(sql`insert into payments (id, amount) values (${id}, ${amount})`)
              yield* script.written(amount)
              return Created.at(`/payments/${id}`, { amount, id })
            })
          })
        })
      )
    ]
  })
  return [
    AuthPlugin,
    Database.plugin,
    // Listed first, it still runs inside of the transaction.
    Idempotency.withDatabase,
    Database.transactional(options),
    Payments
  ] as const
}

/** Returns the amounts that were paid. */
export const amounts = SqlClient.use((sql) =>
  Effect.map(sql<{ amount: number }>`select amount from payments order by amount`, (rows) =>
    rows.map(({ amount }) => amount)
  )
)
