/**
 * The boot engine: takes an app's plugins through the phases that `Plugin.ts`
 * describes, and back. It knows nothing of sockets: binding and draining are
 * the host's.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import * as Scope from "effect/Scope"
import * as Config from "../Config/index.ts"
import * as Action from "./Action.ts"
import { AppConfig } from "./AppConfig.ts"
import {
  AppRuntime,
  type AppRuntimeShape,
  type BoundHealthCheck,
  type Status
} from "./AppRuntime.ts"
import * as Assembly from "./Assembly.ts"
import * as BootTree from "./BootTree.ts"
import * as Contract from "./Contract.ts"
import type * as Contribution from "./Contribution.ts"
import * as Deadline from "./Deadline.ts"
import { type AssemblyError, type BindError, StartTimeoutError } from "./Errors.ts"
import type * as Plugin from "./Plugin.ts"

/** What boot needs to know of an app. */
export interface Definition {
  readonly id: string
  readonly plugins: ReadonlyArray<Plugin.Any>
}

/** A plugin whose services exist. `context` holds them and all that came before. */
export interface Acquired {
  readonly context: Context.Context<unknown>
  readonly plugin: Plugin.Any
}

/**
 * The part of an app that turns requests into replies. Server implements it for
 * sockets and for memory.
 */
export interface Host {
  /** Binds the listener, with every plugin acquired. Its scope closes before any plugin is released. */
  readonly bind: (context: Context.Context<unknown>) => Effect.Effect<Bound, unknown, Scope.Scope>
  /** What is wrong with the plugins' contributions, beyond their order. */
  readonly check: Assembly.Check
  /** The configuration sections it reads itself. */
  readonly config: ReadonlyArray<Config.AnySection>
  /**
   * Builds what the plugin contributes, in its acquire phase. Fails with the
   * contribution's own error.
   */
  readonly mount: (acquired: Acquired) => Effect.Effect<void, unknown, Scope.Scope>
}

/** A bound listener. */
export interface Bound {
  /** Where it listens, as a URL; undefined for one in memory. */
  readonly address: string | undefined
  /**
   * Stops accepting, lets requests in flight finish within the timeout, then
   * interrupts the rest. `delay` is how long it goes on accepting first.
   */
  readonly drain: (options: {
    readonly delay: Duration.Duration
    readonly timeout: Duration.Duration
  }) => Effect.Effect<void>
}

/** Where configuration comes from. */
export interface ConfigSource {
  /** The folder in which `flange.toml`, `.yaml`, `.yml` or `.json` is looked for. */
  readonly directory?: string | undefined
  /** The environment's name; wins over `FLANGE_ENV`. */
  readonly environment?: string | undefined
  /** One file instead of a folder. */
  readonly file?: string | undefined
  /** Values that win over everything else. */
  readonly overrides?: object | undefined
  /** Values in code, instead of a file. */
  readonly values?: object | undefined
  /** Environment variables. */
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined
}

/** An app after its ready phase. Closing the scope it was booted in drains and releases it. */
export interface Running {
  readonly address: string | undefined
  /** Every service of every plugin, and `AppRuntime`. */
  readonly context: Context.Context<unknown>
  readonly runtime: AppRuntimeShape
}

/** What the app's own phases may fail with. */
export type BootError = AssemblyError | BindError | Config.ConfigError | StartTimeoutError

/**
 * Boots an app: assemble, configure, acquire, bind, ready. A failure or an
 * interruption in any of them, at any plugin, releases exactly what was
 * acquired, in reverse, when the scope closes.
 *
 * Fails with a `BootError`, or with the error of the plugin that failed.
 */
export const boot = (
  definition: Definition,
  host: Host,
  source: ConfigSource
): Effect.Effect<Running, unknown, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const startedAt = yield* Clock.currentTimeMillis
    const tree = BootTree.recorder(startedAt)
    let status: Status = "starting"

    const { id, plugins } = definition
    const api = Contract.of(id, plugins)
    const ordered = yield* Assembly.assemble(id, plugins, host.check, api).pipe(
      tree.measure("assemble")
    )
    const config = yield* configure(ordered, host, source).pipe(tree.measure("configure"))
    const app = Context.getUnsafe(config.context, AppConfig)

    const actions: Array<Action.Registered> = []
    const contributed = new Map<string, Array<Contribution.Contributed<unknown, unknown>>>()
    const contributedOf = (kind: string) => {
      const list = contributed.get(kind) ?? []
      contributed.set(kind, list)
      return list
    }
    const healthChecks: Array<BoundHealthCheck> = []
    const runtime: AppRuntimeShape = {
      actions,
      api,
      bootTree: tree.steps,
      buildDate: app.buildDate,
      commit: app.commit,
      contributions: <Name extends string, Data, Value>(
        kind: Contribution.Kind<Name, Data, Value>
      ) =>
        // Contributions of a kind are made by the kind, which holds their types.
        contributedOf(kind.name) as ReadonlyArray<Contribution.Contributed<Data, Value>>,
      description: Assembly.describe(definition.id, ordered),
      environment: config.environment,
      healthChecks,
      id: definition.id,
      name: app.name ?? definition.id,
      startedAt,
      status: Effect.sync(() => status),
      version: app.version
    }
    yield* Scope.addFinalizer(
      scope,
      Effect.sync(() => {
        status = "stopped"
      })
    )

    const within = (phase: "acquire" | "ready", { id, manifest }: Plugin.Any) => {
      const limit = Duration.fromInputUnsafe(manifest.startTimeout ?? app.startTimeout)
      return <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        effect.pipe(
          Deadline.within(limit, () => new StartTimeoutError({ limit, phase, plugin: id })),
          tree.measure(phase, id)
        )
    }

    const memoMap = Layer.makeMemoMapUnsafe()
    // Services of unknown plugins join it below.
    let context = Context.add(config.context, AppRuntime, runtime) as Context.Context<unknown>
    // What the engine logs goes to the loggers that plugins have installed by then.
    const logging: Logging = (effect) =>
      Effect.suspend(() => Effect.provideContext(effect, context))
    const logTree = logging(
      Effect.flatMap(tree.steps, (steps) => Effect.logDebug(BootTree.toText(definition.id, steps)))
    )
    const phase =
      (name: BootTree.Phase) =>
      <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.onError(tree.measure(name)(effect), () => logTree)

    const acquire = (plugin: Plugin.Any) =>
      Effect.gen(function* () {
        const own = yield* releasedLast(scope, plugin.id, tree, logging)
        const { manifest } = plugin
        const services = yield* Layer.buildWithMemoMap(manifest.layer, memoMap, own).pipe(
          Effect.provideContext(context)
        )
        context = Context.merge(context, services)
        for (const implemented of manifest.actions) {
          const { registered, run } = Action.register(plugin.id, implemented, context)
          actions.push(registered)
          context = Context.add(context, implemented.action, run)
        }
        for (const extension of manifest.extensions) {
          context = Context.add(context, extension, contributedOf(extension.key))
        }
        for (const { build, data, kind, name } of manifest.contributes) {
          const value = yield* Scope.provide(Effect.provideContext(build, context), own)
          contributedOf(kind).push({ data, name, plugin: plugin.id, value })
        }
        yield* Scope.provide(host.mount({ context, plugin }), own)
      }).pipe(within("acquire", plugin))

    yield* Effect.forEach(ordered, acquire, { discard: true }).pipe(
      phase("acquire"),
      Effect.ensuring(
        logging(
          Effect.forEach(config.warnings, (warning) => Effect.logWarning(warning), {
            discard: true
          })
        )
      )
    )
    for (const { id, manifest } of ordered) {
      for (const [name, check] of Object.entries(manifest.health)) {
        const bound = Effect.provideContext(check.check, context)
        healthChecks.push({ ...check, check: bound, name, plugin: id })
      }
    }

    const bound = yield* host.bind(context).pipe(phase("bind"))
    yield* Scope.addFinalizer(
      scope,
      Effect.suspend(() => {
        const delay = status === "ready" ? app.drainDelay : Duration.zero
        status = "draining"
        return logging(drain(ordered, context, bound, delay, app.drainTimeout)).pipe(
          tree.measure("drain")
        )
      })
    )

    const ready = { address: bound.address, environment: config.environment }
    yield* Effect.forEach(
      ordered,
      (plugin) =>
        plugin.manifest.ready === undefined
          ? Effect.void
          : plugin.manifest
              .ready(ready)
              .pipe(Effect.provideContext(context), within("ready", plugin)),
      { discard: true }
    ).pipe(phase("ready"))
    status = "ready"

    yield* logTree
    return { address: bound.address, context, runtime }
  }) as Effect.Effect<Running, unknown, FileSystem.FileSystem | Path.Path | Scope.Scope>

const configure = (ordered: ReadonlyArray<Plugin.Any>, host: Host, source: ConfigSource) =>
  Config.load({
    ...source,
    defaults: ordered.map(({ id, manifest }) => ({ plugin: id, values: manifest.defaults })),
    sections: [
      ...new Set([AppConfig, ...host.config, ...ordered.flatMap(({ manifest }) => manifest.config)])
    ]
  })

/** Runs an effect of the engine in the context of the app, so far as it exists. */
type Logging = <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>

/**
 * A scope for one plugin. It closes when the app's does, in its turn; what its
 * finalizers throw is logged and does not keep the others from running.
 */
const releasedLast = (
  scope: Scope.Scope,
  plugin: string,
  tree: BootTree.Recorder,
  logging: Logging
) =>
  Effect.gen(function* () {
    const own = yield* Scope.make()
    yield* Scope.addFinalizerExit(scope, (exit) =>
      logging(
        Scope.close(own, exit).pipe(
          tree.measure("release", plugin),
          logFailure(`Plugin "${plugin}" failed to release`)
        )
      )
    )
    return own
  })

/** Stops the listener and the plugins' own work at the same time. */
const drain = (
  ordered: ReadonlyArray<Plugin.Any>,
  context: Context.Context<unknown>,
  bound: Bound,
  delay: Duration.Duration,
  timeout: Duration.Duration
) =>
  Effect.forEach(
    [
      bound.drain({ delay, timeout }).pipe(logFailure("The listener failed to drain")),
      ...ordered.flatMap(({ id, manifest }) =>
        manifest.drain === undefined
          ? []
          : [
              manifest.drain.pipe(
                Effect.provideContext(context),
                Effect.interruptible,
                Deadline.within(
                  timeout,
                  () => new Cause.TimeoutError(`Not done within ${Duration.format(timeout)}`)
                ),
                logFailure(`Plugin "${id}" failed to drain`)
              )
            ]
      )
    ],
    (effect) => effect,
    { concurrency: "unbounded", discard: true }
  )

const logFailure =
  (message: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<void, never, R> =>
    effect.pipe(
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.logError(message, cause)
      ),
      Effect.asVoid
    )
