/**
 * A plugin is a Layer with a name: its services, and its contributions to an app.
 *
 * A plugin goes through these phases:
 *
 * | phase | what runs | may fail with | seen by | order |
 * |---|---|---|---|---|
 * | assemble | the checks of its manifest; no code of the plugin | `AssemblyError`, all problems at once | the caller of boot | none |
 * | configure | `defaults`, then `configure`, then its `config` sections are decoded; then the address of the listener is tried | `ConfigError`, all problems at once, or `BindError` | the caller of boot | plugin order: later defaults override earlier ones, and each `configure` gets the result of the one before |
 * | acquire | `layer`, then the contributions, then the handlers of `routes` | its own error, or `StartTimeoutError` | the caller of boot; earlier plugins are released in reverse | after those it requires |
 * | bind | `middleware`; then the listener binds | its own error, `StartTimeoutError` or `BindError` | the caller of boot; all plugins are released | plugin order |
 * | ready | `ready`, with the bound address | its own error, or `StartTimeoutError` | the caller of boot; drain and release follow | plugin order |
 * | drain | `drain` | nothing: a failure is logged | the log | all at once, within `app.drainTimeout` |
 * | release | the finalizers of `layer`, within `app.releaseTimeout` | nothing: a failure is logged; what does not end in time is named, in the log and in a `ReleaseTimeoutError` | the log; the others still run | reverse of acquire |
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
import * as ContributionCheck from "./ContributionCheck.ts"
import type * as Extension from "./Extension.ts"
import type * as Fit from "./Fit.ts"
import * as HealthCheck from "./HealthCheck.ts"

const TypeId = "~flange/Plugin"

/**
 * A plugin: a `Layer` that provides `Provides`, may fail with `E` and requires `Requires`,
 * and contributions to an app. `Contracts` are the HTTP contracts it adds to `app.api`.
 *
 * It is a layer without an app, too: `Layer.provide(plugin)` builds its services and
 * actions, and reads its configuration from variables and defaults.
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

/** The errors with which the acquire, bind and ready phases of a plugin may fail. */
export type Error<P> = P extends Plugin<string, infer _P, infer E, infer _R, infer _G> ? E : never

/** The services that a plugin requires from other plugins. */
export type Requires<P> =
  P extends Plugin<string, infer _P, infer _E, infer R, infer _G> ? R : never

/** The contracts that a plugin adds to `app.api`. */
export type Contracts<P extends Any> = P["~flange/Contracts"]

/**
 * The position of a plugin among the others, if requirements do not determine it. Example:
 * two plugins with middleware in one slot. Targets are plugins or ids. A target that is not
 * in the app and an order that no list satisfies are assembly problems.
 */
export interface Order {
  /** The plugin comes after these. */
  readonly after?: ReadonlyArray<Any | string> | undefined
  /** The plugin comes before these. */
  readonly before?: ReadonlyArray<Any | string> | undefined
  /** The plugin comes before every plugin that is not `first`. */
  readonly first?: boolean | undefined
  /** The plugin comes after every plugin that is not `last`. */
  readonly last?: boolean | undefined
}

/** The argument of the function `ready` of a plugin. */
export interface Ready {
  /** The address of the listener, such as `http://127.0.0.1:8080`; undefined without a socket. */
  readonly address: string | undefined
  /** The environment's name. */
  readonly environment: string
}

/** A plugin as data, without the types of its parts. Boot and the server read it. */
export interface Manifest {
  readonly annotate: ((api: HttpApi.Top) => HttpApi.Top) | undefined
  readonly config: ReadonlyArray<Config.AnySection>
  readonly configure: Config.Change["change"]
  /** Actions, health checks, middleware, routes and the contributions of other kinds. */
  readonly contributions: ReadonlyArray<Contribution.Any>
  readonly defaults: Config.Defaults["values"]
  readonly drain: Effect.Effect<void, unknown, unknown> | undefined
  readonly extensions: ReadonlyArray<Extension.Any>
  readonly layer: Layer.Layer<unknown, unknown, unknown>
  readonly migrations: URL | undefined
  readonly order: Order
  readonly provides: ReadonlyArray<Context.Key<unknown, unknown>>
  readonly ready: ((ready: Ready) => Effect.Effect<void, unknown, unknown>) | undefined
  readonly requires: ReadonlyArray<Context.Key<unknown, unknown>>
  readonly startTimeout: Duration.Input | undefined
}

type AnyKey = Context.Key<any, any>
type AnyLayer = Layer.Layer<never, unknown, unknown>
type AnyHealth = Readonly<Record<string, HealthCheck.Input<any>>>
type Middleware = Contribution.Contribution<"middleware", unknown, unknown>
type Route = Contribution.Contribution<"route", unknown, unknown, Contribution.Contract, unknown>

/** The name of a service for messages; never if its key is not a literal. */
export type NameOf<S> = Fit.NameOf<S>

type Identifiers<Keys extends ReadonlyArray<AnyKey>> = Context.Service.Identifier<Keys[number]>

/** The services of other plugins that a plugin and its contributions list. */
type Listed<
  Contributes extends ReadonlyArray<Contribution.AnyOpen>,
  Required extends ReadonlyArray<AnyKey>,
  Routes extends ReadonlyArray<Route>
> = Contribution.Declared<Contributes> | Contribution.Declared<Routes> | Identifiers<Required>

/** The services that a plugin provides itself: by its layer, its contributions, its sections. */
type Own<
  Actions extends ReadonlyArray<unknown>,
  Extensions extends ReadonlyArray<Extension.Any>,
  L extends AnyLayer,
  Sections extends ReadonlyArray<Config.AnySection>
> =
  | Action.Provided<Actions>
  | Extension.Provided<Extensions>
  | Fit.Seen<Layer.Success<L>>
  | Identifiers<Sections>

/** The services that boot provides to every plugin. */
type BuiltIn = AppRuntime | Scope.Scope

/** The services in `All` that must come from other plugins. */
type Used<All, Own> = Exclude<All, BuiltIn | Own>

type OptionName =
  | "actions"
  | "annotate"
  | "config"
  | "configure"
  | "contributes"
  | "defaults"
  | "drain"
  | "extensions"
  | "health"
  | "layer"
  | "middleware"
  | "migrations"
  | "order"
  | "provides"
  | "ready"
  | "requires"
  | "routes"
  | "startTimeout"

/**
 * Creates a plugin.
 *
 * `provides` and `requires` repeat the types of the plugin's parts, because types are gone
 * at run time and boot orders plugins by these lists. The compiler compares the lists with
 * the types: every service that the layer provides, and every service of another plugin
 * that a part uses, must be listed.
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
    Own<Actions | Contributes, Extensions, L, Sections>
  >
>(
  id: Id,
  options: {
    /** Actions that it implements with `Action.implement`. */
    readonly actions?: Actions
    /**
     * Returns the contract of the app with annotations, such as security schemes for
     * OpenAPI. They describe the app and do not change how the server runs it.
     */
    readonly annotate?: ((api: HttpApi.Top) => HttpApi.Top) | undefined
    /** Configuration sections that it reads. */
    readonly config?: Sections
    /**
     * Returns the configuration of the app, changed, from the values of files, variables and the
     * plugins before, and the name of the environment. Later plugins and the sections of all
     * plugins get the result. Only `overrides` win over it.
     */
    readonly configure?: Config.Change["change"]
    /** Contributions of any other kind, and functions that fill extension points. */
    readonly contributes?: Contributes
    /**
     * Values for configuration sections, or a function of the environment's name that
     * returns them. Files, variables and later plugins override them.
     */
    readonly defaults?: Config.Defaults["values"] | undefined
    /** Runs when the app drains: stops taking new work and waits for the work that runs. */
    readonly drain?: Effect.Effect<void, unknown, DrainR>
    /** Extension points that it declares and other plugins fill. */
    readonly extensions?: Extensions
    /** Health checks by component name. An effect alone is a `shared` check of five seconds. */
    readonly health?: Health
    /** Its services. They are acquired after the plugins it requires and released before them. */
    readonly layer?: L
    /** Slot middleware, made with `Middleware.before`, `Middleware.make` and the others. */
    readonly middleware?: Middlewares
    /**
     * The directory of its SQL migrations, such as `new URL("../migrations",
     * import.meta.url)`. The plugin `flange:database` applies them.
     */
    readonly migrations?: URL | undefined
    /** Its position among the plugins, if requirements do not determine it. */
    readonly order?: Order | undefined
    /** Keys of the services of `layer`. */
    readonly provides?: Provided
    /** Runs after the listener is bound and before the app is ready. */
    readonly ready?: (ready: Ready) => OnReady
    /** Keys of the services of other plugins that it uses. */
    readonly requires?: Required
    /** Route groups, made with `Route.protected`, `Route.public`, `Route.bare`, ... */
    readonly routes?: Routes
    /** The longest time for each of acquire, bind and ready. Default: `app.startTimeout`, 30 s. */
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
  | Action.Provided<Actions | Contributes>
  | Extension.Provided<Extensions>
  | Fit.Seen<Layer.Success<L>>,
  | Contribution.Error<Contributes>
  | Contribution.Error<Middlewares>
  | Contribution.Error<Routes>
  | Effect.Error<OnReady>
  | Layer.Error<L>
  | (Sections extends readonly [] ? never : Config.ConfigError),
  Exclude<Identifiers<Required>, Own<Actions | Contributes, Extensions, L, Sections>> | Uses,
  Contribution.Contracts<Routes>
> => {
  const contributions: ReadonlyArray<Contribution.Any> = [
    ...(options.actions ?? []),
    ...Object.entries(options.health ?? {}).map(([name, input]) =>
      HealthCheck.contribute(name, input)
    ),
    ...(options.middleware ?? []),
    ...(options.routes ?? []),
    ...(options.contributes ?? [])
  ]
  ContributionCheck.refuseOthers(id, contributions)
  const manifest: Manifest = {
    annotate: options.annotate,
    config: options.config ?? [],
    configure: options.configure,
    contributions,
    defaults: options.defaults ?? {},
    drain: options.drain,
    extensions: options.extensions ?? [],
    // A manifest forgets the types that the plugin itself carries.
    layer: (options.layer ?? Layer.empty) as unknown as Layer.Layer<unknown, unknown, unknown>,
    migrations: options.migrations,
    order: options.order ?? {},
    provides: [
      ...(options.provides ?? []),
      ...contributions.filter(Action.isImplemented).map(({ data }) => data),
      ...(options.extensions ?? [])
    ],
    ready: options.ready,
    requires: [
      // Keys of one name are one service.
      ...new Map(
        [
          ...(options.requires ?? []),
          // A point need not exist when it is filled, so filling it orders nothing.
          ...contributions.flatMap(({ kind, requires }) =>
            requires.filter(({ key }) => key !== kind)
          )
        ].map((key) => [key.key, key])
      ).values()
    ],
    startTimeout: options.startTimeout
  }
  return Object.assign(
    Layer.suspend(() => standalone(manifest)),
    {
      [TypeId]: TypeId,
      id,
      manifest
    }
  ) as never // the phantom member and the types above exist for the compiler only
}

/**
 * Creates a plugin from any layer.
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

/** Returns the layer of a plugin outside of an app: without files and without other plugins. */
const standalone = (manifest: Manifest): Layer.Layer<unknown, unknown, unknown> => {
  const points = manifest.extensions.reduce(
    (services, extension) => Context.add(services, extension, []),
    Context.empty() as Context.Context<unknown>
  )
  const actions = Layer.effectContext(
    Effect.map(Effect.context<unknown>(), (context) =>
      Context.merge(Action.implementations(manifest.contributions, context), points)
    )
  )
  const services = Layer.provideMerge(actions, manifest.layer)
  if (manifest.config.length === 0) return services
  return Layer.provide(
    services,
    Layer.effectContext(
      Config.load({
        configure: [{ change: manifest.configure, plugin: "standalone" }],
        defaults: [{ plugin: "standalone", values: manifest.defaults }],
        sections: manifest.config,
        values: {},
        variables: globalThis.process?.env ?? {}
      }).pipe(Effect.map((resolved) => resolved.context))
    ).pipe(Layer.provide([FileSystem.layerNoop({}), Path.layer]))
  )
}
