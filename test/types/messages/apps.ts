// Apps, plugins and errors that do not fit.
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { HttpClient } from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { Action, ApiError, App, Config, Plugin, Preset, Route } from "flange"
import * as Auth from "flange/Auth"
import { ObjectCache } from "flange/Cache"
import * as Database from "flange/Database"
import { IdempotencyErrors } from "flange/Idempotency/Contract"
import * as Jobs from "flange/Jobs"
import { Clients } from "flange/Outgoing"
import * as Queue from "flange/Queue"
import * as Realtime from "flange/Realtime"
import * as Redis from "flange/Redis"
import { fitting, Rooms, RoomsApi } from "./lib.ts"

class A extends Context.Service<A, { readonly a: string }>()("app/A") {}
class B extends Context.Service<B, { readonly b: string }>()("app/B") {}
class C extends Context.Service<C, { readonly c: string }>()("app/C") {}
class D extends Context.Service<D, { readonly d: string }>()("app/D") {}

const usesAll = Effect.gen(function*() {
  yield* A
  yield* B
  yield* C
  yield* D
})
const protectedRooms = Route.protected(RoomsApi, (handlers) => handlers.handleAll(fitting))
const RoomsPlugin = Plugin.make("app:rooms", { routes: [protectedRooms] })
const UsesAll = Plugin.make("app:all", { layer: Layer.effectDiscard(usesAll), requires: [A, B, C, D] })
const Sql = Plugin.make("app:sql", { layer: Layer.effectDiscard(SqlClient.SqlClient), requires: [SqlClient.SqlClient] })
const Greet = Action.make("greet", { success: Schema.String })
const Greeting = Plugin.make("app:greeting", { ready: () => Effect.asVoid(Effect.orDie(Greet.call())), requires: [Greet] })

export const noAuthentication = App.make("shop", [...Preset.api, RoomsPlugin])
// ^ expect: No plugin in this app authenticates the chain `default`: add `Auth.plugin({ default: Auth.chain([...]) })`

export const otherChain = App.make("shop", [
// ^ expect: No plugin in this app authenticates the chain `default`: add `Auth.plugin({ default: Auth.chain([...]) })`
  ...Preset.api,
  Auth.plugin({ chains: { partner: Auth.chain([]) } }),
  RoomsPlugin
])

export const noAnonymous = App.make("shop", [
// ^ expect: No plugin in this app authenticates the chain `default` for callers without credentials: give `Auth.plugin` this chain with `unauthenticated: \"anonymous\"`
  ...Preset.api,
  Auth.plugin({ default: Auth.chain([]) }),
  Plugin.make("app:rooms", { routes: [Route.optional(RoomsApi, (handlers) => handlers.handleAll(fitting))] })
])

export const oneMissing = App.make("shop", [Plugin.make("app:a", { layer: Layer.effectDiscard(A), requires: [A] })])
// ^ expect: No plugin in this app provides `app/A`: add a plugin that does

export const fourMissing = App.make("shop", [...Preset.api, UsesAll])
// ^ expect: No plugin in this app provides `app/A`, `app/B`, `app/C`, `app/D`: add plugins that do

export const database = App.make("shop", [Sql])
// ^ expect: No plugin in this app provides a database: add `Database.plugin`

export const redis = App.make("shop", [Plugin.make("app:r", { requires: [Redis.Redis, Redis.SharedRedis] })])
// ^ expect: No plugin in this app provides Redis: add `Redis.plugin`

export const battery = App.make("shop", [Plugin.make("app:s", { requires: [Realtime.Sse] })])
// ^ expect: No plugin in this app provides `flange/Realtime/Sse`: add `Realtime.sse`

export const sockets = App.make("shop", [Plugin.make("app:w", { requires: [Realtime.WebSockets] })])
// ^ expect: No plugin in this app provides `flange/Realtime/WebSockets`: add `Realtime.webSockets`

export const queue = App.make("shop", [Plugin.make("app:q", { requires: [Queue.Queues] })])
// ^ expect: No plugin in this app provides `flange/Queue/Queues`: add `Queue.plugin` or `Queue.withDatabase`

export const cache = App.make("shop", [Plugin.make("app:c", { requires: [ObjectCache] })])
// ^ expect: No plugin in this app provides `flange/Cache/ObjectCache`: add `Cache.plugin` or `Cache.withRedis`

export const outgoing = App.make("shop", [Plugin.make("app:o", { requires: [Clients] })])
// ^ expect: No plugin in this app provides `flange/Outgoing/Clients`: add `Outgoing.plugin`

export const client = App.make("shop", [Plugin.make("app:h", { requires: [HttpClient] })])
// ^ expect: No plugin in this app provides `effect/http/HttpClient`: add `Outgoing.plugin`

export const keys = App.make("shop", [Plugin.make("app:i", { requires: [IdempotencyErrors] })])
// ^ expect: No plugin in this app provides `flange/IdempotencyErrors`: add `Idempotency.plugin` or `Idempotency.withDatabase`

export const workflow = App.make("shop", [Database.plugin, Plugin.make("app:w", { requires: [WorkflowEngine] })])
// ^ expect: No plugin in this app provides `effect/workflow/WorkflowEngine`: add `Cluster.plugin`

export const action = App.make("shop", [Greeting])
// ^ expect: No plugin in this app implements the action `greet`: add a plugin with `Action.implement`

export const mixed = App.make("shop", [...Preset.api, RoomsPlugin, UsesAll])
// ^ expect: No plugin in this app provides `app/A`, `app/B`, `app/C`, `app/D`: add plugins that do. No plugin in this app authenticates the chain `default`: add `Auth.plugin({ default: Auth.chain([...]) })`

export const notSpread = App.make("shop", [Preset.api, UsesAll])
// ^ expect: The list has a list in it: write `...` before it, as in `[...Preset.api, ItemsPlugin]`

export const layer = App.make("shop", [...Preset.api, Layer.succeed(A, { a: "" })])
// ^ expect: The list has a layer in it that is not a plugin: make one with `Plugin.fromLayer`

export const notCalled = App.make("shop", [...Preset.api, Auth.plugin])
// ^ expect: The list has a function in it: call it, as in `Auth.plugin({ ... })`

export const effect = App.make("shop", [...Preset.api, Effect.succeed(UsesAll)])
// ^ expect: The list has an Effect in it, which is not a plugin: make plugins with `Plugin.make`

export const nothing = App.make("shop", [...Preset.api, undefined])
// ^ expect: The list has a value in it that is not a plugin: make plugins with `Plugin.make`

const Settings = Config.section("rooms", { city: Schema.String })

export const fourUnlisted = Plugin.make("app:all", { layer: Layer.effectDiscard(usesAll) })
// ^ expect: The plugin uses `app/A`, `app/B`, `app/C`, `app/D`, which neither its layer nor its `config` provides: add them to `requires`

export const oneUnlisted = Plugin.make("app:all", { layer: Layer.effectDiscard(usesAll), requires: [A, B, C] })
// ^ expect: The plugin uses `app/D`, which neither its layer nor its `config` provides: add it to `requires`

export const large = Plugin.make("app:large", {
  config: [Settings],
  defaults: { rooms: { city: "Ulm" } },
  drain: Effect.void,
  health: { a: Effect.asVoid(A), b: Effect.asVoid(B) },
  layer: Layer.effect(Rooms, Effect.as(usesAll, {} as Rooms["Service"])),
  migrations: new URL("migrations", import.meta.url),
  order: { first: true },
  provides: [Rooms],
  ready: () => Effect.asVoid(C),
  requires: [A, B],
  // ^ expect: The plugin uses `app/C`, `app/D`, which neither its layer nor its `config` provides: add them to `requires`
  routes: [protectedRooms]
})

export const unprovided = Plugin.make("app:rooms", { layer: Layer.succeed(A, { a: "" }), provides: [A, Rooms, B] })
// ^ expect: `provides` lists `app/B`, `app/Rooms`, but the layer does not provide them

export const unlistedLayer = Plugin.fromLayer("app:a", Layer.mergeAll(Layer.succeed(A, { a: "" }), Layer.succeed(B, { b: "" })), {})
// ^ expect: The layer provides `app/A`, `app/B`, which `provides` does not list: add them to `provides`

export const unlistedSection = Plugin.make("app:rooms", { layer: Layer.effectDiscard(Settings) })
// ^ expect: The plugin reads the configuration section `rooms`, which `config` does not list: add it to `config`

class NoParentheses extends ApiError.make<NoParentheses>("NoParentheses", { code: "NO", detail: "", status: 404 }) {}
// ^ expect: Write empty parentheses before the arguments: class NotFound extends ApiError.make<NotFound>()(...)

export const jobs = App.make("shop", [
// ^ expect: No plugin in this app provides `flange/Jobs`: add `Jobs.plugin` or `Jobs.withCluster`
  Plugin.make("app:orders", { contributes: [Jobs.Job.every("orders:expire", "1 minute", Effect.void)] })
])
