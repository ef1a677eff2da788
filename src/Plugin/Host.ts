/**
 * The port between the boot engine and the server: the boot engine knows plugins and
 * their phases, a host knows routes, middleware and listeners.
 */
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Config from "../Config/index.ts"
import type { AssemblyError, AssemblyProblem, StartTimeoutError } from "./Errors.ts"
import type * as Plugin from "./Plugin.ts"

/** A plugin in its acquire phase, after its layer is built. */
export interface Acquired {
  /** The services of the plugin and of all plugins before it. */
  readonly context: Context.Context<unknown>
  readonly plugin: Plugin.Any
}

/** A bound listener. */
export interface Bound {
  /** The URL at which it listens; undefined if it has no socket. */
  readonly address: string | undefined
  /**
   * Goes on accepting for `delay`, then stops accepting and waits for the requests in
   * flight. After `timeout` it interrupts those that still run.
   */
  readonly drain: (options: {
    readonly delay: Duration.Duration
    readonly timeout: Duration.Duration
  }) => Effect.Effect<void>
}

/** The bound listener of an app, and those of its ports. */
export interface AppBound extends Bound {
  /** The listeners beside that of the app, by name. They drain after it. */
  readonly ports: Readonly<Record<string, Bound>>
}

/** Runs an effect as the work of a plugin in the bind phase, within its time limit. */
export type Step = (
  plugin: Plugin.Any
) => <A, E>(
  effect: Effect.Effect<A, E, Scope.Scope>
) => Effect.Effect<A, AssemblyError | E | StartTimeoutError>

/** The part of an app that turns requests into replies. */
export interface Host {
  /**
   * Binds the listeners after every plugin is acquired. Their scope closes before any plugin
   * is released. It builds the middleware of each plugin within `step`.
   */
  readonly bind: (
    context: Context.Context<unknown>,
    step: Step
  ) => Effect.Effect<AppBound, unknown, Scope.Scope>
  /** Returns the problems of routes and middleware, before anything is acquired. */
  readonly check: (plugins: ReadonlyArray<Plugin.Any>) => ReadonlyArray<AssemblyProblem>
  /** The configuration sections that the host reads. */
  readonly config: ReadonlyArray<Config.AnySection>
  /**
   * Builds the routes of a plugin in its acquire phase. Fails with the error of the route
   * that cannot be built.
   */
  readonly mount: (acquired: Acquired) => Effect.Effect<void, unknown, Scope.Scope>
  /**
   * Fails if a listener could not bind now, so that an app whose port is taken stops
   * before a plugin is acquired and before a migration runs. `context` has the
   * configuration.
   */
  readonly probe: (
    context: Context.Context<unknown>,
    plugins: ReadonlyArray<Plugin.Any>
  ) => Effect.Effect<void, unknown>
}
