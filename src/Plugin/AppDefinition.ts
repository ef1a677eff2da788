/** The definition of an app: a list of plugins that fit together. */
import type * as HttpApi from "effect/http-api/HttpApi"
import type { ErrorEnvelope } from "../Contract/ErrorEnvelope.ts"
import * as Api from "./Api.ts"
import type { ConfigSource } from "./ConfigSource.ts"
import type * as Contribution from "./Contribution.ts"
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
type Missing<P extends ReadonlyArray<Plugin.Any>> = Exclude<
  Plugin.Requires<P[number]>,
  Plugin.Provides<P[number]>
>

/** The compiler's message for a list of plugins that lacks a service. */
export type MissingServices<S> = [Plugin.NameOf<S>] extends [never]
  ? {
      readonly advice: "No plugin in this app provides this service: add one that does"
      readonly service: S
    }
  : `No plugin in this app provides ${Plugin.NameOf<S>}: add one that does`

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
export const make = <const Id extends string, const P extends ReadonlyArray<Plugin.Any>>(
  id: Id,
  plugins: P & ([Missing<P>] extends [never] ? unknown : MissingServices<Missing<P>>),
  options: {
    /** The sources of its configuration. Default: files in the working directory, and variables. */
    readonly config?: ConfigSource | undefined
    /** The form of all error bodies, made with `ErrorEnvelope.make`. Default: problem documents. */
    readonly errors?: ErrorEnvelope | undefined
  } = {}
): App<Id, Plugin.Provides<P[number]>, Plugin.Error<P[number]>, Plugin.Contracts<P[number]>> => {
  const list: ReadonlyArray<Plugin.Any> = plugins
  return {
    api: Api.make(id, list, options.errors),
    config: options.config ?? {},
    errors: options.errors,
    id,
    plugins: list
  } as never // the phantom members exist in types only
}
