/** The definition of an app: a list of plugins that fit together. */
import type * as Effect from "effect/Effect"
import type * as HttpApi from "effect/http-api/HttpApi"
import type * as Layer from "effect/Layer"
import type { ErrorEnvelope } from "../Contract/ErrorEnvelope.ts"
import * as Api from "./Api.ts"
import type { ConfigSource } from "./ConfigSource.ts"
import type * as Contribution from "./Contribution.ts"
import type { IsOne, Listing, One } from "./Listing.ts"
import type * as Plugin from "./Plugin.ts"

/**
 * An app: its plugins, with their types taken together.
 *
 * - `Provides`: every service of every plugin
 * - `E`: the errors with which plugins may fail while the app boots
 * - `Contracts`: the contracts of all its routes, by name
 */
export interface App<
  out Id extends string,
  in Provides = never,
  out E = never,
  in out Contracts extends Contribution.Contract = never
> {
  readonly "~flange/Contracts": Contracts
  readonly "~flange/Error": E
  readonly "~flange/Provides": (services: Provides) => void
  /** The contract of all the groups of all the plugins: `Client.make(app.api)` is its client. */
  readonly api: HttpApi.HttpApi<Id, Contribution.Group<Contracts>>
  /** The sources of its configuration. */
  readonly config: ConfigSource
  /** The form of its error bodies; undefined if they are problem documents. */
  readonly errors: ErrorEnvelope | undefined
  readonly id: Id
  /** The plugins in the order of the list. */
  readonly plugins: ReadonlyArray<Plugin.Any>
}

/** Any app. */
export interface Any {
  readonly "~flange/Error": unknown
  readonly config: ConfigSource
  readonly errors?: ErrorEnvelope | undefined
  readonly id: string
  readonly plugins: ReadonlyArray<Plugin.Any>
}

/** The services that an app provides. */
export type Provides<A> = A extends App<string, infer P, infer _E, infer _G> ? P : never

/** The errors with which the plugins of an app may fail while it boots. */
export type Error<A> = A extends { readonly "~flange/Error": infer E } ? E : never

/** The services that a plugin of the list requires and no plugin of the list provides. */
type Missing<P> = Exclude<Plugin.Requires<P>, Plugin.Provides<P>>

/** What to write for a service that no plugin of the list provides. */
type Remedy<Name extends string> = Name extends `flange/Authentication/${infer Chain}`
  ? `No plugin in this app authenticates the chain \`${Chain}\`: add \`Auth.plugin({ ${Chain extends "default" ? "default: Auth.chain([...])" : `chains: { ${Chain}: Auth.chain([...]) }`} })\``
  : Name extends `flange/OptionalAuthentication/${infer Chain}`
    ? `No plugin in this app authenticates the chain \`${Chain}\` for callers without credentials: give \`Auth.plugin\` this chain with \`unauthenticated: "anonymous"\``
    : Name extends `flange/Policy/${infer Policy}`
      ? `No plugin in this app implements the policy \`${Policy}\`: add a plugin with \`Auth.Policy.implement\``
      : Name extends `flange/Action/${infer Action}`
        ? `No plugin in this app implements the action \`${Action}\`: add a plugin with \`Action.implement\``
        : Name extends "effect/sql/SqlClient"
          ? "No plugin in this app provides a database: add `Database.plugin`"
          : Name extends "effect/persistence/Redis" | "flange/SharedRedis"
            ? "No plugin in this app provides Redis: add `Redis.plugin`"
            : Name extends "flange/Database/InTransaction"
              ? "A plugin requires transactions, and this app has none: add `Database.transactional()`"
              : Name extends keyof BatteryPlugins
                ? `No plugin in this app provides \`${Name}\`: add \`${BatteryPlugins[Name]}\``
                : never

/** The plugins of batteries by a service that they provide. */
interface BatteryPlugins {
  readonly "effect/cluster/MessageStorage": "Cluster.plugin"
  readonly "effect/cluster/Sharding": "Cluster.plugin"
  readonly "effect/http/HttpClient": "Outgoing.plugin"
  readonly "effect/persistence/PersistedQueueFactory": "Queue.plugin` or `Queue.withDatabase"
  readonly "effect/workflow/WorkflowEngine": "Cluster.plugin"
  readonly "flange/Cache/CacheStore": "Cache.plugin` or `Cache.withRedis"
  readonly "flange/Cache/ObjectCache": "Cache.plugin` or `Cache.withRedis"
  readonly "flange/DynamoDb/DynamoDb": "DynamoDb.plugin"
  readonly "flange/IdempotencyErrors": "Idempotency.plugin` or `Idempotency.withDatabase"
  readonly "flange/Jobs": "Jobs.plugin` or `Jobs.withCluster"
  readonly "flange/Limited": "RateLimit.plugin"
  readonly "flange/ObjectStore/ObjectStore": "ObjectStore.plugin"
  readonly "flange/Outgoing/Clients": "Outgoing.plugin"
  readonly "flange/Queue/Queues": "Queue.plugin` or `Queue.withDatabase"
  readonly "flange/Queue/QueueStore": "Queue.plugin` or `Queue.withDatabase"
  readonly "flange/Realtime/Broadcast": "Realtime.broadcast"
  readonly "flange/Realtime/EventLog": "Realtime.sse"
  readonly "flange/Realtime/Presence": "Realtime.broadcast"
  readonly "flange/Realtime/Sse": "Realtime.sse"
  readonly "flange/Realtime/WebSockets": "Realtime.webSockets"
  readonly "flange/Secrets": "Secrets.plugin"
  readonly "flange/Templates/Templates": "Templates.plugin({ ... })"
  readonly "flange/TimeLimited": "Timeout.plugin"
}

/** The names for which `Remedy` knows nothing. */
type Other<Name extends string> = Name extends string
  ? [Remedy<Name>] extends [never]
    ? Name
    : never
  : never

type NoProvider<Names extends string> =
  `No plugin in this app provides ${Listing<Names>}: add ${IsOne<Names> extends true ? "a plugin that does" : "plugins that do"}`

/** The compiler's message for a list of plugins that lacks services. It is one string. */
type MissingServices<S, Names extends string = Plugin.NameOf<S>> = [Names] extends [never]
  ? "A plugin requires a service whose type is unknown: give its parts types, and each of its services a key"
  : [Other<Names>] extends [never]
    ? Remedy<One<Names>>
    : [Exclude<Names, Other<Names>>] extends [never]
      ? NoProvider<Names>
      : `${NoProvider<Other<Names>>}. ${Remedy<One<Exclude<Names, Other<Names>>>>}`

/** What is wrong with an element of the list; never if it is a plugin. */
type NotPlugin<P> = unknown extends P
  ? never // The compiler has not inferred it yet.
  : P extends Plugin.Any
    ? never
    : P extends ReadonlyArray<unknown>
      ? "The list has a list in it: write `...` before it, as in `[...Preset.api, ItemsPlugin]`"
      : P extends (...args: never) => unknown
        ? "The list has a function in it: call it, as in `Auth.plugin({ ... })`"
        : P extends Layer.Layer<never, unknown, unknown>
          ? "The list has a layer in it that is not a plugin: make one with `Plugin.fromLayer`"
          : P extends Effect.Effect<unknown, unknown, unknown>
            ? "The list has an Effect in it, which is not a plugin: make plugins with `Plugin.make`"
            : "The list has a value in it that is not a plugin: make plugins with `Plugin.make`"

/** The list; a list of unknown values is refused in the compiler's own words. */
type Plugins<P extends ReadonlyArray<unknown>> = unknown extends P[number]
  ? P & ReadonlyArray<Plugin.Any>
  : P

/** What is wrong with a list of plugins; never if it fits. */
type Wrong<P extends ReadonlyArray<unknown>> = [NotPlugin<P[number]>] extends [never]
  ? [Missing<P[number]>] extends [never]
    ? never
    : unknown extends Missing<P[number]>
      ? never // `Plugin.make` has refused the plugin.
      : MissingServices<Missing<P[number]>>
  : One<NotPlugin<P[number]>>

/**
 * Creates an app from a list of plugins. Does not compile if a plugin requires a service
 * that no plugin provides; the message names the service. Every other problem of the list is
 * reported at boot, all of them in one `AssemblyError`.
 *
 * @example
 * ```ts
 * import { App, Plugin } from "flange"
 *
 * const app = App.make("shop", [Plugin.make("app:empty", {})])
 * App.describe(app).plugins.map((plugin) => plugin.id) // => ["app:empty"]
 * ```
 */
export const make = <
  const Id extends string,
  const P extends ReadonlyArray<unknown>,
  Problem extends string = Wrong<P>
>(
  id: Id,
  plugins: [Problem] extends [never] ? Plugins<P> : NoInfer<Problem>,
  options: {
    /** The sources of its configuration. Default: files in the working directory, and variables. */
    readonly config?: ConfigSource | undefined
    /** The form of all error bodies, made with `ErrorEnvelope.make`. Default: problem documents. */
    readonly errors?: ErrorEnvelope | undefined
  } = {}
): App<
  Id,
  Plugin.Provides<P[number]>,
  Plugin.Error<P[number]>,
  Plugin.Contracts<Extract<P[number], Plugin.Any>>
> => {
  // The signature lets pass lists of plugins only.
  const list = plugins as unknown as ReadonlyArray<Plugin.Any>
  return {
    api: Api.make(id, list, options.errors),
    config: options.config ?? {},
    errors: options.errors,
    id,
    plugins: list
  } as never // the phantom members exist in types only
}
