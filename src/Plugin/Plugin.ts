/**
 * A plugin is a Layer with a name: services, and what it contributes to the app
 * around them.
 *
 * The life of a plugin, phase by phase:
 *
 * | phase | what runs | may fail with | seen by | order |
 * |---|---|---|---|---|
 * | assemble | nothing of the plugin; its manifest is checked | `AssemblyError`, all problems at once | the caller of boot | none |
 * | configure | `defaults`, then its `config` sections are decoded | `ConfigError`, all problems at once | the caller of boot | plugin order, later defaults win |
 * | acquire | `layer`, `actions`, `contributes`, the handlers of `routes` | its own error, or `StartTimeoutError` | the caller of boot; earlier plugins are released in reverse | after those it requires |
 * | bind | `middleware`; then the listener binds | its own error, or `BindError` | the caller of boot; all plugins are released | plugin order |
 * | ready | `ready`, with the bound address | its own error, or `StartTimeoutError` | the caller of boot; drain and release follow | plugin order |
 * | drain | `drain` | nothing: a failure is logged | the log | all at once, within `app.drainTimeout` |
 * | release | the finalizers of `layer` | nothing: a failure is logged | the log; the others still run | reverse of acquire |
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as HttpApi from "effect/http-api/HttpApi"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import { hasProperty } from "effect/Predicate"
import type * as Scope from "effect/Scope"
import * as Config from "../Config/index.ts"
import * as Action from "./Action.ts"
import type { AppRuntime } from "./AppRuntime.ts"
import type * as Contribution from "./Contribution.ts"
import type * as Extension from "./Extension.ts"
import type * as Fit from "./Fit.ts"
import * as HealthCheck from "./HealthCheck.ts"

const TypeId = "~flange/Plugin"

/**
 * A plugin: a `Layer` that provides `Provides`, may fail with `E` and requires
 * `Requires`, with the contributions it makes to an app. `Contracts` are the
 * HTTP contracts it adds to `app.api`.
 *
 * It can be used without an app: `Layer.provide(plugin)` builds its services
 * and actions, with the configuration taken from variables and defaults.
 */
export interface Plugin<
  out Id extends string,
  in Provides = never,
  out E = never,
  out Requires = never,
  out Contracts extends Contribution.Contract = never
> extends Layer.Layer<Provides, E, Requires> {
  readonly "~flange/Contracts": Contracts
  readonly [TypeId]: typeof TypeId
  readonly id: Id
  readonly manifest: Manifest
}

/** Any plugin. */
export interface Any {
  readonly "~flange/Contracts": Contribution.Contract
  readonly [TypeId]: typeof TypeId
  readonly id: string
  readonly manifest: Manifest
}

/** The id of a plugin. */
export type Id<P> = P extends Plugin<infer I, infer _P, infer _E, infer _R, infer _G> ? I : never

/** The services that a plugin provides. */
export type Provides<P> =
  P extends Plugin<string, infer S, infer _E, infer _R, infer _G> ? S : never

/** What a plugin may fail with while it is acquired or made ready. */
export type Error<P> = P extends Plugin<string, infer _P, infer E, infer _R, infer _G> ? E : never

/** The services that a plugin requires from others. */
export type Requires<P> =
  P extends Plugin<string, infer _P, infer _E, infer R, infer _G> ? R : never

/** The contracts that a plugin adds to `app.api`. */
export type Contracts<P extends Any> = P["~flange/Contracts"]

/**
 * Where a plugin stands, for what requirements cannot say (two middlewares in
 * one slot). A target is a plugin or its id. A target that is not in the app,
 * and an order that nothing can satisfy, are assembly problems.
 */
export interface Order {
  /** Stands after these plugins. */
  readonly after?: ReadonlyArray<Any | string> | undefined
  /** Stands before these plugins. */
  readonly before?: ReadonlyArray<Any | string> | undefined
  /** Stands before every plugin that is not `first` itself. */
  readonly first?: boolean | undefined
  /** Stands after every plugin that is not `last` itself. */
  readonly last?: boolean | undefined
}

/** Default values for configuration sections, or a function of the environment's name. */
export type Defaults = ((environment: string) => object) | object

/** What the ready phase tells a plugin. */
export interface Ready {
  /** Where the app listens, such as `http://127.0.0.1:8080`; undefined without a socket. */
  readonly address: string | undefined
  /** The environment's name. */
  readonly environment: string
}

/** A plugin as data, with the types of its parts forgotten. The boot engine reads it. */
export interface Manifest {
  readonly actions: ReadonlyArray<Action.Implemented<string, unknown>>
  readonly annotate: ((api: HttpApi.Top) => HttpApi.Top) | undefined
  readonly config: ReadonlyArray<Config.AnySection>
  readonly contributes: ReadonlyArray<Contribution.AnyOpen>
  readonly defaults: Defaults
  readonly drain: Effect.Effect<void, unknown, unknown> | undefined
  readonly extensions: ReadonlyArray<Extension.Any>
  readonly health: Readonly<Record<string, HealthCheck.HealthCheck<unknown>>>
  readonly layer: Layer.Layer<unknown, unknown, unknown>
  readonly middleware: ReadonlyArray<Contribution.Any>
  readonly order: Order
  readonly provides: ReadonlyArray<Context.Key<unknown, unknown>>
  readonly ready: ((ready: Ready) => Effect.Effect<void, unknown, unknown>) | undefined
  readonly requires: ReadonlyArray<Context.Key<unknown, unknown>>
  readonly routes: ReadonlyArray<Contribution.Any>
  readonly startTimeout: Duration.Input | undefined
}

type AnyKey = Context.Key<any, any>
type AnyLayer = Layer.Layer<never, unknown, unknown>
type AnyHealth = Readonly<Record<string, HealthCheck.Input<any>>>
type Middleware = Contribution.Contribution<"middleware", unknown, unknown>
type Route = Contribution.Contribution<"route", unknown, unknown, Contribution.Contract, unknown>

/** A service's name for a message, or never where it has no literal name. */
export type NameOf<S> = Fit.NameOf<S>

type Identifiers<Keys extends ReadonlyArray<AnyKey>> = Context.Service.Identifier<Keys[number]>

/** The services that a plugin takes from others, as it and its contributions say. */
type Listed<
  Contributes extends ReadonlyArray<Contribution.AnyOpen>,
  Required extends ReadonlyArray<AnyKey>,
  Routes extends ReadonlyArray<Route>
> = Contribution.Declared<Contributes> | Contribution.Declared<Routes> | Identifiers<Required>

/** The services that a plugin has without other plugins. */
type Own<
  Actions extends ReadonlyArray<Action.Implemented<string, unknown>>,
  Extensions extends ReadonlyArray<Extension.Any>,
  L extends AnyLayer,
  Sections extends ReadonlyArray<Config.AnySection>
> =
  | Action.Provided<Actions>
  | Extension.Provided<Extensions>
  | Fit.Seen<Layer.Success<L>>
  | Identifiers<Sections>

type Host = AppRuntime | Scope.Scope

/** Which of the services that a plugin uses must come from other plugins. */
type Used<All, Own> = Exclude<All, Host | Own>

type OptionName =
  | "actions"
  | "annotate"
  | "config"
  | "contributes"
  | "defaults"
  | "drain"
  | "extensions"
  | "health"
  | "layer"
  | "middleware"
  | "order"
  | "provides"
  | "ready"
  | "requires"
  | "routes"
  | "startTimeout"

/**
 * Makes a plugin.
 *
 * - `provides` and `requires` are the plugin's manifest. They say at run time
 *   and to a reader what the types already know, and the compiler holds them to
 *   it: a service that the layer provides or that anything in the plugin uses
 *   must be listed. They give the order of acquisition.
 * - `config` lists the sections it reads, `defaults` what it sets for any
 *   section when files and variables do not.
 * - `startTimeout` bounds its acquire and ready phases; `app.startTimeout` (30 s)
 *   otherwise.
 *
 * @example
 * ```ts
 * import * as Context from "effect/Context"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import { Plugin } from "flange"
 *
 * class Greeter extends Context.Service<Greeter, { readonly greet: (name: string) => string }>()(
 *   "app/Greeter"
 * ) {
 *   static readonly layer = Layer.succeed(Greeter, { greet: (name) => `Hello, ${name}` })
 * }
 *
 * const GreeterPlugin = Plugin.make("app:greeter", {
 *   layer: Greeter.layer,
 *   provides: [Greeter]
 * })
 *
 * const greeting = Greeter.useSync((greeter) => greeter.greet("Ada"))
 * Effect.runSync(Effect.provide(greeting, GreeterPlugin)) // => "Hello, Ada"
 * ```
 */
export const make = <
  const Id extends string,
  const Names extends OptionName,
  L extends AnyLayer = Layer.Layer<Fit.Unseen>,
  const Actions extends ReadonlyArray<Action.Implemented<string, unknown>> = readonly [],
  const Sections extends ReadonlyArray<Config.AnySection> = readonly [],
  const Contributes extends ReadonlyArray<Contribution.AnyOpen> = readonly [],
  const Extensions extends ReadonlyArray<Extension.Any> = readonly [],
  const Health extends AnyHealth = {},
  const Middlewares extends ReadonlyArray<Middleware> = readonly [],
  const Provided extends ReadonlyArray<AnyKey> = readonly [],
  const Required extends ReadonlyArray<AnyKey> = readonly [],
  const Routes extends ReadonlyArray<Route> = readonly [],
  DrainR = never,
  OnReady extends Effect.Effect<void, unknown, unknown> = Effect.Effect<void>,
  Uses = Used<
    | Contribution.Requires<Actions>
    | Contribution.Requires<Contributes>
    | Contribution.Requires<Middlewares>
    | Contribution.Requires<Routes>
    | DrainR
    | Effect.Services<OnReady>
    | HealthCheck.Requires<Health>
    | Layer.Services<L>,
    Own<Actions, Extensions, L, Sections>
  >
>(
  id: Id,
  options: {
    /** Actions it implements, made with `Action.implement`. */
    readonly actions?: Actions
    /**
     * What it says about the contract of the whole app, such as security schemes
     * for OpenAPI. For descriptions only: the server does not run what it gives.
     */
    readonly annotate?: ((api: HttpApi.Top) => HttpApi.Top) | undefined
    /** Configuration sections it reads. */
    readonly config?: Sections
    /** Contributions of kinds that other plugins declare, and what fills their extension points. */
    readonly contributes?: Contributes
    /** Values it sets for configuration sections; files, variables and later plugins win. */
    readonly defaults?: Defaults | undefined
    /** Stops taking new work when the app drains, and waits for what runs. */
    readonly drain?: Effect.Effect<void, unknown, DrainR>
    /** Extension points that it declares, for other plugins to fill. */
    readonly extensions?: Extensions
    /** Health checks by component name; an effect alone is a `shared` check of five seconds. */
    readonly health?: Health
    /** The services. Acquired after the plugins it requires, released before them. */
    readonly layer?: L
    /** Slot middleware, made with `Middleware.make`. */
    readonly middleware?: Middlewares
    /** What requirements cannot say about its place. */
    readonly order?: Order | undefined
    /** The services of `layer` that other plugins may use. */
    readonly provides?: Provided
    /** Runs once the listener is bound, before the app counts as ready. */
    readonly ready?: (ready: Ready) => OnReady
    /** The services it takes from other plugins. */
    readonly requires?: Required
    /** Route groups, made with `Route.protected`, `Route.public`, `Route.bare`, ... */
    readonly routes?: Routes
    /** Bounds acquire and ready. */
    readonly startTimeout?: Duration.Input | undefined
  } & { readonly [Name in Names]?: unknown } & ("layer" extends Names
      ? Fit.OnceSeen<
          Layer.Success<L>,
          Fit.Fit<
            Listed<Contributes, Required, Routes>,
            Uses,
            Fit.Seen<Layer.Success<L>>,
            Identifiers<Provided>
          >
        >
      : Fit.Fit<Listed<Contributes, Required, Routes>, Uses, never, Identifiers<Provided>>)
): Plugin<
  Id,
  Action.Provided<Actions> | Extension.Provided<Extensions> | Fit.Seen<Layer.Success<L>>,
  | Contribution.Error<Contributes>
  | Contribution.Error<Middlewares>
  | Contribution.Error<Routes>
  | Effect.Error<OnReady>
  | Layer.Error<L>
  | (Sections extends readonly [] ? never : Config.ConfigError),
  Exclude<Identifiers<Required>, Own<Actions, Extensions, L, Sections>> | Uses,
  Contribution.Contracts<Routes>
> => {
  const manifest: Manifest = {
    actions: options.actions ?? [],
    annotate: options.annotate,
    config: options.config ?? [],
    contributes: options.contributes ?? [],
    defaults: options.defaults ?? {},
    drain: options.drain,
    extensions: options.extensions ?? [],
    health: Object.fromEntries(
      Object.entries(options.health ?? {}).map(([name, input]) => [
        name,
        HealthCheck.fromInput(input)
      ])
    ),
    // A manifest forgets the types that the plugin itself carries.
    layer: (options.layer ?? Layer.empty) as unknown as Layer.Layer<unknown, unknown, unknown>,
    middleware: options.middleware ?? [],
    order: options.order ?? {},
    provides: [
      ...(options.provides ?? []),
      ...(options.actions ?? []).map(({ action }) => action),
      ...(options.extensions ?? [])
    ],
    ready: options.ready,
    requires: [
      // Keys of one name stand for one service.
      ...new Map(
        [
          ...(options.requires ?? []),
          ...(options.routes ?? []).flatMap((route) => route.requires),
          // A point need not exist when it is filled, so filling it orders nothing.
          ...(options.contributes ?? []).flatMap(({ kind, requires }) =>
            requires.filter(({ key }) => key !== kind)
          )
        ].map((key) => [key.key, key])
      ).values()
    ],
    routes: options.routes ?? [],
    startTimeout: options.startTimeout
  }
  return Object.assign(
    Layer.suspend(() => standalone(manifest)),
    {
      [TypeId]: TypeId,
      id,
      manifest
    }
  ) as never // the phantom member and the types above are for the compiler only
}

/**
 * Makes a plugin of a layer that knows nothing of Flange.
 *
 * @example
 * ```ts
 * import * as Context from "effect/Context"
 * import * as Layer from "effect/Layer"
 * import { Plugin } from "flange"
 *
 * class Clock extends Context.Service<Clock, { readonly now: () => number }>()("app/Clock") {}
 * const layer = Layer.succeed(Clock, { now: () => 0 })
 * const ClockPlugin = Plugin.fromLayer("app:clock", layer, { provides: [Clock] })
 * ClockPlugin.id // => "app:clock"
 * ```
 */
export const fromLayer = <
  const Id extends string,
  LA = Fit.Unseen,
  LE = never,
  LR = never,
  const Provided extends ReadonlyArray<AnyKey> = readonly [],
  const Required extends ReadonlyArray<AnyKey> = readonly []
>(
  id: Id,
  layer: Layer.Layer<LA, LE, LR>,
  options: {
    readonly order?: Order | undefined
    readonly provides?: Provided
    readonly requires?: Required
    readonly startTimeout?: Duration.Input | undefined
  } & Fit.OnceSeen<LA, Fit.Fit<Identifiers<Required>, Used<LR, LA>, LA, Identifiers<Provided>>>
): Plugin<Id, LA, LE, Exclude<Identifiers<Required>, LA> | Used<LR, LA>> =>
  make(id, { ...options, layer } as never) as never // checked by this signature

/** Whether a value is a plugin. */
export const isPlugin = (u: unknown): u is Any => hasProperty(u, TypeId)

/** The layer that a plugin is when no app boots it: no files, no host. */
const standalone = (manifest: Manifest): Layer.Layer<unknown, unknown, unknown> => {
  // Without an app no other plugin fills a point.
  const points = manifest.extensions.reduce(
    (services, extension) => Context.add(services, extension, []),
    Context.empty() as Context.Context<unknown>
  )
  const actions = Layer.effectContext(
    Effect.map(Effect.context<unknown>(), (context) =>
      manifest.actions.reduce(
        (services, implemented) =>
          Context.add(
            services,
            implemented.action,
            Action.register("standalone", implemented, context).run
          ),
        points
      )
    )
  )
  const services = Layer.provideMerge(actions, manifest.layer)
  if (manifest.config.length === 0) return services
  return Layer.provide(
    services,
    Layer.effectContext(
      Config.load({
        defaults: [{ plugin: "standalone", values: manifest.defaults }],
        sections: manifest.config,
        values: {},
        variables: globalThis.process?.env ?? {}
      }).pipe(Effect.map((resolved) => resolved.context))
    ).pipe(Layer.provide([FileSystem.layerNoop({}), Path.layer]))
  )
}
