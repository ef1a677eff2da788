// Authentication and authorization are held by the types.
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { App, Config, CurrentIdentity, OptionalIdentity, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"

const success = Schema.String

class ItemsApi extends HttpApiGroup.make("items").add(
  HttpApiEndpoint.get("list", "/items", { success })
) {}

class GuardedApi extends HttpApiGroup.make("guarded").add(
  HttpApiEndpoint.get("list", "/guarded", { success }).middleware(Auth.requireScopes("a"))
) {}

const OwnItem = Auth.Policy.declare("own-item")

class OwnedApi extends HttpApiGroup.make("owned").add(
  HttpApiEndpoint.get("list", "/owned", { success }).middleware(OwnItem)
) {}

const list = () => Effect.succeed("all")
const whoAmI = () => Effect.map(CurrentIdentity, ({ subject }) => subject)
const whoMayItBe = () => Effect.map(OptionalIdentity, (found) => (Option.isSome(found) ? "a" : "b"))

const rejecting = Auth.plugin({
  default: Auth.chain([
    Auth.bearer([{ identity: { subject: "deploy" }, token: Redacted.make("token") }])
  ])
})

// A guard has nobody to ask in a route that does not authenticate.
export const unguarded = Route.public(GuardedApi, (handlers) => handlers.handleAll({ list }))
//                                                             ^ expect: Only protected routes know their caller

// Nor in one whose caller may be unknown.
export const unsure = Route.optional(GuardedApi, (handlers) => handlers.handleAll({ list }))
// ^ expect: The caller of an optional route may be unknown

export const asksTooMuch = Route.optional(ItemsApi, (handlers) =>
// ^ expect: The caller of an optional route may be unknown, and `items` asks for it: use OptionalIdentity, or Route.protected
  handlers.handleAll({ list: whoAmI })
)

export const asksInVain = Route.public(ItemsApi, (handlers) =>
// ^ expect: Only optional routes ask who may be calling, and `items` does: use Route.optional instead
  handlers.handleAll({ list: whoMayItBe })
)

// A chain that nobody defines.
const Partner = Plugin.make("app:partner", {
  routes: [Route.protectedWith("partner")(ItemsApi, (handlers) => handlers.handleAll({ list }))]
})
export const unknownChain = App.make("a", [rejecting, Partner])
// ^ expect: No plugin in this app authenticates the chain `partner`: add `Auth.plugin({ chains: { partner: Auth.chain([...]) } })`

// A chain that lets nobody pass without credentials does not serve optional routes.
const Optional = Plugin.make("app:optional", {
  routes: [Route.optional(ItemsApi, (handlers) => handlers.handleAll({ list }))]
})
export const noAnonymous = App.make("b", [rejecting, Optional])
// ^ expect: No plugin in this app authenticates the chain `default` for callers without credentials: give `Auth.plugin` this chain with `unauthenticated: \"anonymous\"`

// A policy that nobody implements.
const Owned = Plugin.make("app:owned", {
  routes: [Route.protected(OwnedApi, (handlers) => handlers.handleAll({ list }))]
})
export const noPolicy = App.make("c", [rejecting, Owned])
// ^ expect: No plugin in this app implements the policy `own-item`: add a plugin with `Auth.Policy.implement`

// What backends use must be listed.
class Store extends Context.Service<Store, { readonly owner: string }>()("app/Store") {}
const stored = Auth.chain([
  Auth.apiKey({
    validate: () => Effect.map(Store, ({ owner }) => Option.some({ subject: owner }))
  })
])
export const unlisted = Auth.plugin({ default: stored })
// ^ expect: A backend uses app/Store: add it to `requires`

const AuthConfig = Config.section("auth", { secret: Config.Secret })
const configured = Auth.chain([
  Auth.jwt(
    Effect.map(AuthConfig, ({ secret }) => ({
      audience: "items",
      issuer: "https://id.example.com",
      keys: Auth.secret(secret)
    }))
  )
])
export const unread = Auth.plugin({ default: configured })
// ^ expect: A backend reads the configuration section auth: add it to `config`

// Whose tokens, and for whom, is not left out by accident.
export const careless = Auth.jwt({ keys: Auth.secret(Redacted.make("secret")) })
// ^ expect: missing the following properties from type 'JwtSettings': audience, issuer
