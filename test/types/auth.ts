// What a client may get from guarded endpoints, as types. Checked by `npm run check`; nothing runs.
import type * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { App, type Authentication, type Catalogue, CurrentIdentity, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : never

type Both<A, B> = [B] extends [A] ? true : never

const holds = (..._all: ReadonlyArray<true>) => {}

const success = Schema.String

class OrdersApi extends HttpApiGroup.make("orders").add(
  HttpApiEndpoint.post("create", "/orders", { success }).middleware(
    Auth.requireScopes("orders:write")
  ),
  HttpApiEndpoint.get("list", "/orders", { success })
) {}

class StatusApi extends HttpApiGroup.make("status").add(
  HttpApiEndpoint.get("status", "/status", { success })
) {}

const subject = () => CurrentIdentity.useSync((identity) => identity.subject)

const OrdersPlugin = Plugin.make("app:orders", {
  routes: [
    Route.protected(OrdersApi, (handlers) =>
      handlers.handleAll({ create: subject, list: subject })
    ),
    Route.public(StatusApi, (handlers) => handlers.handle("status", () => CurrentText))
  ]
})

declare const CurrentText: Effect.Effect<string>

const rejecting = Auth.plugin({ default: Auth.chain([]) })
const both = Auth.plugin({
  chains: { partner: Auth.chain([]) },
  default: Auth.chain([], { unauthenticated: "anonymous" })
})

holds(
  {} as Same<Plugin.Provides<typeof rejecting>, Authentication.Authentication<"default">>,
  {} as Same<
    Plugin.Provides<typeof both>,
    | Authentication.Authentication<"default">
    | Authentication.Authentication<"partner">
    | Authentication.OptionalAuthentication<"default">
  >,
  {} as Same<Plugin.Requires<typeof both>, never>,
  {} as Same<Plugin.Error<typeof both>, never>
)

const app = App.make("orders", [rejecting, OrdersPlugin])

const client = HttpApiClient.make(app.api)

type Client = Effect.Success<typeof client>

type ErrorOf<F extends (...args: never) => unknown> =
  ReturnType<F> extends Effect.Effect<infer _A, infer E, infer _R> ? E : never

type Create = ErrorOf<Client["orders"]["create"]>
type List = ErrorOf<Client["orders"]["list"]>
type Status = ErrorOf<Client["status"]["status"]>

holds(
  // 401 and 403 are in the union of a guarded call, 401 alone in that of a protected one.
  {} as Both<Create, Catalogue.Forbidden | Catalogue.Unauthenticated>,
  {} as Both<List, Catalogue.Unauthenticated>,
  {} as Same<Extract<List, Catalogue.Forbidden>, never>,
  {} as Same<Extract<Status, Catalogue.Forbidden | Catalogue.Unauthenticated>, never>
)

// A marked endpoint has the type that it had before.
const reading = HttpApiEndpoint.get("read", "/notes/:id", {
  params: { id: Schema.String },
  success
})
const marked = Auth.unguarded(reading)
const prefixed = marked.prefix("/v1")
class NotesApi extends HttpApiGroup.make("notes").add(
  HttpApiEndpoint.post("create", "/notes", { success }).middleware(Auth.privileged),
  marked
) {}
Route.protected(NotesApi, (handlers) =>
  handlers.handleAll({
    create: subject,
    read: ({ identity, params }) => ok(identity.subject + params.id)
  })
)
declare const ok: (text: string) => Effect.Effect<string>
const notes = HttpApiClient.make(HttpApi.make("notes").add(NotesApi))
type Read = Effect.Success<typeof notes>["notes"]["read"]
holds(
  {} as Same<typeof marked, typeof reading>,
  {} as Same<HttpApiEndpoint.MiddlewareError<typeof marked>, never>,
  {} as Same<(typeof prefixed)["path"], "/v1/notes/:id">,
  {} as Same<Extract<ErrorOf<Read>, Catalogue.Forbidden | Catalogue.Unauthenticated>, never>,
  {} as Same<Parameters<Read>[0]["params"], { readonly id: string }>
)

// The contract alone says it too: a guard adds both.
const contract = HttpApiEndpoint.get("read", "/x", { success }).middleware(Auth.privileged)
holds(
  {} as Same<
    HttpApiEndpoint.MiddlewareError<typeof contract>,
    Catalogue.Forbidden | Catalogue.Unauthenticated
  >
)
