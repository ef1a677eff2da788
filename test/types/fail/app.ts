// Apps whose plugins do not fit.
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Action, App, Plugin, Route } from "flange"

class Db extends Context.Service<Db, { readonly query: () => string }>()("app/Db") {}
class Repo extends Context.Service<Repo, { readonly read: () => string }>()("app/Repo") {}

const RepoPlugin = Plugin.make("app:repo", {
  layer: Layer.effect(Repo, Effect.map(Db, ({ query }) => ({ read: query }))),
  provides: [Repo],
  requires: [Db]
})

export const missingService = App.make("shop", [RepoPlugin])
// ^ expect: No plugin in this app provides `app/Db`: add a plugin that does

const Greet = Action.make("greet", { payload: Schema.String, success: Schema.String })
const Caller = Plugin.make("app:caller", {
  ready: () => Effect.orDie(Effect.asVoid(Greet.call("Ada"))),
  requires: [Greet]
})

export const missingAction = App.make("shop", [Caller])
// ^ expect: No plugin in this app implements the action `greet`: add a plugin with `Action.implement`

const Api = HttpApiGroup.make("items").add(
  HttpApiEndpoint.get("list", "/items", { success: Schema.String })
)
const Items = Plugin.make("app:items", {
  routes: [
    Route.protected(Api, (handlers) => handlers.handleAll({ list: () => Effect.succeed("") }))
  ]
})

export const missingAuthentication = App.make("shop", [Items])
// ^ expect: No plugin in this app authenticates the chain `default`: add `Auth.plugin({ default: Auth.chain([...]) })`

const Files = Plugin.make("app:files", {
  routes: [
    Route.raw("files", HttpRouter.add("GET", "/files", HttpServerResponse.empty()), {
      access: "protected",
      chain: "partner"
    })
  ]
})

export const missingRawChain = App.make("shop", [Files])
// ^ expect: No plugin in this app authenticates the chain `partner`: add `Auth.plugin({ chains: { partner: Auth.chain([...]) } })`

export const chainOfPublic = Route.raw("open", HttpRouter.add("GET", "/open", HttpServerResponse.empty()), {
  access: "public",
  chain: "partner"
  // ^ expect: Type 'string' is not assignable to type 'never'
})

const Admin = Plugin.make("app:admin", {
  routes: [
    Route.protectedWith("admin")(Api, (handlers) =>
      handlers.handleAll({ list: () => Effect.succeed("") })
    )
  ]
})

export const missingChain = App.make("shop", [Admin])
// ^ expect: No plugin in this app authenticates the chain `admin`: add `Auth.plugin({ chains: { admin: Auth.chain([...]) } })`

export const notAPlugin = App.make("shop", [Layer.succeed(Db, { query: () => "" })])
// ^ expect: The list has a layer in it that is not a plugin: make one with `Plugin.fromLayer`
