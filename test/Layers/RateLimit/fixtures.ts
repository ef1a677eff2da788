import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { App, Middleware, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"
import * as Logging from "flange/Logging"
import * as RateLimit from "flange/RateLimit"

const { Limited, RatePolicy } = RateLimit

const success = Schema.String

/** Behind authentication, with the limit of the configuration where nothing else is said. */
export class OrdersApi extends HttpApiGroup.make("orders").add(
  HttpApiEndpoint.get("events", "/events", { success }).annotate(RatePolicy, "unlimited"),
  HttpApiEndpoint.get("list", "/orders", { success }).middleware(Limited),
  HttpApiEndpoint.get("read", "/orders/:id", { params: { id: Schema.Int }, success }),
  HttpApiEndpoint.get("search", "/search", { success }).annotate(RatePolicy, {
    burst: 2,
    limit: 1,
    window: "10 seconds"
  })
) {}

/** Its endpoints share a limit. */
export class ReportsApi extends HttpApiGroup.make("reports")
  .add(
    HttpApiEndpoint.get("sales", "/reports/sales", { success }),
    HttpApiEndpoint.get("stock", "/reports/stock", { success })
  )
  .annotate(RatePolicy, { limit: 2, window: "1 hour" }) {}

export class GreetApi extends HttpApiGroup.make("greet").add(
  HttpApiEndpoint.get("greet", "/greet", { success })
) {}

export class DoorApi extends HttpApiGroup.make("door").add(
  HttpApiEndpoint.post("login", "/login", { success }).annotate(RatePolicy, {
    limit: 1,
    window: "1 minute"
  }),
  HttpApiEndpoint.post("reset", "/reset", { success }).middleware(Limited),
  HttpApiEndpoint.get("status", "/status", { success })
) {}

export class AliveApi extends HttpApiGroup.make("alive").add(
  HttpApiEndpoint.get("alive", "/alive", { success })
) {}

const ok = () => Effect.succeed("ok")

export const Routes = Plugin.make("app:routes", {
  routes: [
    Route.protected(OrdersApi, (handlers) =>
      handlers.handleAll({ events: ok, list: ok, read: ok, search: ok })
    ),
    Route.protected(ReportsApi, (handlers) => handlers.handleAll({ sales: ok, stock: ok })),
    Route.optional(GreetApi, (handlers) => handlers.handleAll({ greet: ok })),
    Route.public(DoorApi, (handlers) => handlers.handleAll({ login: ok, reset: ok, status: ok })),
    Route.bare(AliveApi, (handlers) => handlers.handleAll({ alive: ok }))
  ]
})

/** Tokens are the names of callers, of 16 characters at least. */
export const token = (subject: string) => `token-of-${subject}-0000`

export const as = (subject: string) => ({
  headers: { authorization: `Bearer ${token(subject)}` }
})

const AuthPlugin = Auth.plugin({
  default: Auth.chain(
    [
      Auth.bearer(
        ["ada", "bob", "robot"].map((subject) => ({
          identity: { subject },
          token: Redacted.make(token(subject))
        }))
      )
    ],
    { unauthenticated: "anonymous" }
  )
})

/** An app with a limit of two requests a minute, and how many handlers ran. */
export const make = () => {
  const ran: Array<string> = []
  const Count = Plugin.make("app:count", {
    middleware: [
      Middleware.aroundHandler("count", {
        build: Effect.succeed(
          ({ path }) =>
            (handler) =>
              Effect.suspend(() => {
                ran.push(path)
                return handler
              })
        )
      })
    ]
  })
  const app = App.make("shop", [Logging.plugin, RateLimit.plugin, AuthPlugin, Count, Routes], {
    config: { values: { rateLimit: { limit: 2, window: "1 minute" } } }
  })
  return { app, ran }
}
