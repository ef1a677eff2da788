import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { App, CurrentIdentity, OptionalIdentity, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"

export const SameTenant = Auth.Policy.make("same-tenant", ({ identity, resource }) =>
  resource.params["tenant"] === identity.attributes["tenant"]
    ? Auth.Policy.allow
    : Auth.Policy.deny(`not of tenant ${resource.params["tenant"]}`)
)

const success = Schema.String

export class StatusApi extends HttpApiGroup.make("status").add(
  HttpApiEndpoint.get("status", "/status", { success })
) {}

export class OrdersApi extends HttpApiGroup.make("orders").add(
  HttpApiEndpoint.get("admin", "/admin", { success }).middleware(Auth.privileged),
  HttpApiEndpoint.post("create", "/orders", {
    payload: Schema.Struct({ item: Schema.String }),
    success
  }).middleware(Auth.requireScopes("orders:write")),
  HttpApiEndpoint.get("jobs", "/jobs", { success }).middleware(Auth.serviceAccount),
  HttpApiEndpoint.get("list", "/orders", { success }).middleware(
    Auth.requireAnyScope("orders:read", "orders:write")
  ),
  Auth.unguarded(HttpApiEndpoint.get("me", "/me", { success })),
  HttpApiEndpoint.get("tenant", "/tenants/:tenant", {
    params: { tenant: Schema.String },
    success
  }).middleware(SameTenant)
) {}

export class GreetApi extends HttpApiGroup.make("greet").add(
  HttpApiEndpoint.get("greet", "/greet", { success })
) {}

const subject = () => CurrentIdentity.useSync((identity) => identity.subject)

export const StatusPlugin = Plugin.make("app:status", {
  routes: [
    Route.public(StatusApi, (handlers) =>
      handlers.handleAll({ status: () => Effect.succeed("up") })
    )
  ]
})

export const OrdersPlugin = Plugin.make("app:orders", {
  routes: [
    Route.protected(OrdersApi, (handlers) =>
      handlers.handleAll({
        admin: subject,
        create: ({ payload }) => Effect.map(subject(), (who) => `${who} ordered ${payload.item}`),
        jobs: subject,
        list: subject,
        me: subject,
        tenant: subject
      })
    )
  ]
})

export const GreetPlugin = Plugin.make("app:greet", {
  routes: [
    Route.optional(GreetApi, (handlers) =>
      handlers.handleAll({
        greet: () =>
          OptionalIdentity.useSync(
            Option.match({ onNone: () => "Hello", onSome: ({ subject }) => `Hello, ${subject}` })
          )
      })
    )
  ]
})

/** An app with protected and public routes behind the chain, and its audit. */
export const appWith = <E>(chain: Auth.Chain<E>) => {
  const audit = Auth.AuditLog.memory()
  const app = App.make("orders", [
    audit.plugin,
    Auth.plugin({ default: chain }),
    StatusPlugin,
    OrdersPlugin
  ])
  return { app, audit }
}

/** Options of a test that sends more wrong credentials than one client may. */
export const unguarded = { config: { guessing: { enabled: false } } }

export const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
