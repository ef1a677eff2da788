/**
 * The boot engine: takes the plugins of an app through the phases that `Plugin.ts`
 * describes, and back. Listeners and routes belong to the host.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as FileSystem from "effect/FileSystem"
import type * as HttpApi from "effect/http-api/HttpApi"
import * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import * as Scope from "effect/Scope"
import * as Config from "../../Config/index.ts"
import * as Report from "../../Config/Report/Report.ts"
import * as Action from "../Action.ts"
import * as Api from "../Api.ts"
import { AppConfig } from "../AppConfig.ts"
import type * as AppDefinition from "../AppDefinition.ts"
import { AppRuntime, type AppRuntimeShape, type Status } from "../AppRuntime.ts"
import * as Background from "../Background.ts"
import * as BootTree from "../BootTree.ts"
import type { ConfigSource } from "../ConfigSource.ts"
import * as Contribution from "../Contribution.ts"
import { ReleaseTimeoutError, StartTimeoutError } from "../Errors.ts"
import type { AppBound, Bound, Host, Step } from "../Host.ts"
import type * as Plugin from "../Plugin.ts"
import * as Role from "../Role.ts"
import { ConfiguredSecret } from "../Secrets.ts"
import * as Assembly from "./Assembly.ts"
import * as Configure from "./Configure.ts"
import * as ConfiguredSecrets from "./ConfiguredSecrets.ts"
import * as Deadline from "./Deadline.ts"
import * as MissingService from "./MissingService.ts"
import * as Order from "./Order.ts"
import * as Pending from "./Pending.ts"
import * as Release from "./Release.ts"

/** An app after its ready phase. Closing the scope it was booted in drains and releases it. */
export interface Running {
  /** The URL at which it listens; undefined if it has no socket. */
  readonly address: string | undefined
  /** Every service of every plugin, and `AppRuntime`. */
  readonly context: Context.Context<unknown>
  /** The URLs of its ports by name; undefined for one without a socket. */
  readonly ports: Readonly<Record<string, string | undefined>>
  readonly runtime: AppRuntimeShape
}

/** The definition of an app, as far as boot reads it. */
type App = Pick<AppDefinition.Any, "errors" | "id" | "plugins">

/** One boot: the state that its phases share. */
interface Boot {
  /** The plugins that are acquired, in their order. */
  readonly acquired: ReadonlyArray<Plugin.Any>
  /** The contract of all plugins. */
  readonly api: HttpApi.Top
  readonly app: App
  readonly config: Config.Resolved
  /** The services that exist so far. */
  context: Context.Context<unknown>
  readonly contributed: Map<string, Array<Contribution.Contributed<unknown, unknown>>>
  /** The finalizers and phases that did not end in time while the app stopped, and what ran then. */
  readonly held: Array<string>
  readonly host: Host
  readonly listener: Release.Release
  /** The plugins in their order. */
  readonly plugins: ReadonlyArray<Plugin.Any>
  /** The release of each plugin, by its id. */
  readonly releases: ReadonlyMap<string, Release.Release>
  readonly scope: Scope.Scope
  readonly settings: (typeof AppConfig)["Service"]
  readonly startedAt: number
  status: Status
  readonly tree: BootTree.Recorder
}

/**
 * Boots an app: assemble, configure, acquire, bind, ready. Before it acquires anything it
 * asks the host whether the listener could bind. A failure or an interruption in
 * any phase, at any plugin, releases exactly what was acquired, in reverse, when the scope
 * closes.
 *
 * Fails with the errors in `Errors.ts`, with `ConfigError`, or with the error of the plugin
 * that failed.
 */
export const boot = (
  app: App,
  host: Host,
  source: ConfigSource
): Effect.Effect<Running, unknown, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function* () {
    const boot = yield* begin(app, host, source)
    yield* host.probe(boot.context, boot.plugins)
    yield* acquire(boot)
    const bound = yield* bind(boot)
    yield* ready(boot, bound)
    yield* logTree(boot)
    return {
      address: bound.address,
      context: boot.context,
      ports: Object.fromEntries(
        Object.entries(bound.ports).map(([name, { address }]) => [name, address])
      ),
      runtime: boot.runtime
    }
  })

/**
 * Acquires plugins and returns their services: those that provide `requires` and those that these
 * require, or all if it is undefined. Nothing is bound or ready, and only the configuration of these
 * plugins is decoded. Closing the scope releases them.
 */
export const acquireOnly = (
  app: App,
  host: Host,
  source: ConfigSource,
  requires: ReadonlyArray<Context.Key<unknown, unknown>> | undefined
): Effect.Effect<
  Context.Context<unknown>,
  unknown,
  FileSystem.FileSystem | Path.Path | Scope.Scope
> =>
  Effect.gen(function* () {
    const boot = yield* begin(app, { ...host, mount: () => Effect.void }, source, requires)
    yield* acquire(boot)
    return boot.context
  })

/** Assembles and configures. */
const begin = (
  app: App,
  host: Host,
  source: ConfigSource,
  requires?: ReadonlyArray<Context.Key<unknown, unknown>>
) =>
  Effect.gen(function* () {
    const startedAt = yield* Clock.currentTimeMillis
    const tree = BootTree.makeRecorder(startedAt)
    const api = Api.make(app.id, app.plugins, app.errors)
    const plugins = yield* Assembly.assemble(app.id, app.plugins, host.check, api).pipe(
      tree.measure("assemble")
    )
    const acquired = requires === undefined ? plugins : Order.providing(plugins, requires)
    const sections = Configure.sectionsOf(acquired, host)
    const memoMap = Layer.makeMemoMapUnsafe()
    const secret = yield* ConfiguredSecrets.reader({ app, memoMap, plugins, source })
    const config = yield* Config.load(Configure.options(plugins, sections, source, secret)).pipe(
      tree.measure("configure")
    )
    const settings = Context.getUnsafe(config.context, AppConfig)
    const releaseOf = (owner: string) =>
      Release.make({
        limit: settings.releaseTimeout,
        memoMap,
        onHeld: (what) => noteHeld(boot, what),
        owner
      })
    const boot: Boot = {
      acquired,
      api,
      app,
      config,
      // Plugins add services of any type.
      context: config.context as Context.Context<unknown>,
      contributed: new Map(),
      held: [],
      host,
      listener: releaseOf("The listener"),
      plugins,
      releases: new Map(plugins.map(({ id }) => [id, releaseOf(nameOf(id))])),
      scope: yield* Effect.scope,
      settings,
      startedAt,
      status: "starting",
      tree
    }
    const runtime = makeRuntime(boot)
    boot.context = Context.add(boot.context, AppRuntime, runtime)
    boot.context = Context.add(
      boot.context,
      ConfiguredSecret,
      ConfiguredSecrets.live(config.secretNames, secret)
    )
    yield* Effect.addFinalizer((exit) =>
      Effect.andThen(setStatus(boot, "stopped"), ended(boot, exit))
    )
    return Object.assign(boot, { runtime })
  })

/** The name of a plugin in messages. */
const nameOf = (id: string) => `Plugin "${id}"`

/** Logs a finalizer or phase that did not end in time, and keeps it for `ReleaseTimeoutError`. */
const noteHeld = (boot: Boot, what: string) =>
  Effect.suspend(() => {
    const running = Background.current()
    boot.held.push(what, ...running.filter((each) => !boot.held.includes(each)))
    const limit = Duration.format(boot.settings.releaseTimeout)
    const still = running.length === 0 ? "" : `, and this still runs: ${running.join(", ")}`
    const message = `${what} did not end within ${limit} (app.releaseTimeout)${still}. Everything else is still released.`
    return logWithPlugins(boot, Effect.logError(message))
  })

/**
 * Dies with `ReleaseTimeoutError` if something did not end in time. If the boot has failed, its own
 * error is reported instead.
 */
const ended = (boot: Boot, exit: Exit.Exit<unknown, unknown>) =>
  boot.held.length === 0 || (Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause))
    ? Effect.void
    : Effect.die(
        new ReleaseTimeoutError({
          app: boot.app.id,
          held: boot.held,
          limit: boot.settings.releaseTimeout
        })
      )

const setStatus = (boot: Boot, status: Status) =>
  Effect.sync(() => {
    boot.status = status
  })

const makeRuntime = (boot: Boot): AppRuntimeShape => ({
  api: boot.api,
  bootTree: boot.tree.steps,
  buildDate: boot.settings.buildDate,
  commit: boot.settings.commit,
  configuration: Effect.sync(() => ({
    environment: boot.config.environment,
    keys: Report.rows(
      Report.keysOf(Configure.sectionsOf(boot.acquired, boot.host)),
      boot.config.entries
    ),
    warnings: boot.config.warnings
  })),
  contributions: <Name extends string, Data, Value>(kind: Contribution.Kind<Name, Data, Value>) =>
    // Contributions of a kind are made by the kind, which holds their types.
    contributionsOf(boot, kind.name) as ReadonlyArray<Contribution.Contributed<Data, Value>>,
  description: Assembly.describe(boot.app.id, boot.plugins),
  environment: boot.config.environment,
  id: boot.app.id,
  name: boot.settings.name ?? boot.app.id,
  role: boot.settings.role,
  startedAt: boot.startedAt,
  status: Effect.sync(() => boot.status),
  version: boot.settings.version
})

/** Returns the list that the contributions of a kind are added to. */
const contributionsOf = ({ contributed }: Boot, kind: string) => {
  const list = contributed.get(kind) ?? []
  contributed.set(kind, list)
  return list
}

/** Acquires the plugins in their order, then logs the warnings of the configuration. */
const acquire = (boot: Boot) =>
  Effect.forEach(boot.acquired, (plugin) => acquirePlugin(boot, plugin), { discard: true }).pipe(
    measurePhase(boot, "acquire"),
    // Only now do the loggers of plugins exist.
    Effect.ensuring(
      logWithPlugins(
        boot,
        Effect.forEach(
          // The sections of the plugins that are left out are not read.
          boot.acquired === boot.plugins ? boot.config.warnings : [],
          (warning) => Effect.logWarning(warning),
          { discard: true }
        )
      )
    )
  )

/** Builds the layer of a plugin, then its contributions, then its routes. */
const acquirePlugin = (boot: Boot, plugin: Plugin.Any) =>
  Effect.gen(function* () {
    const scope = yield* makePluginScope(boot, plugin)
    const release = boot.releases.get(plugin.id)!
    const { contributions, extensions, layer } = plugin.manifest
    const services = yield* Layer.buildWithMemoMap(layer, release.memoMap, scope).pipe(
      Effect.provideContext(boot.context)
    )
    boot.context = Context.merge(boot.context, services)
    boot.context = Context.merge(boot.context, Action.implementations(contributions, boot.context))
    for (const extension of extensions) {
      boot.context = Context.add(boot.context, extension, contributionsOf(boot, extension.key))
    }
    for (const contribution of contributions.filter(Contribution.isOpen)) {
      if (!Role.carriesOut(boot.settings.role, contribution)) continue
      const { build, data, kind, name } = contribution
      const value = yield* Scope.provide(
        Effect.provideContext(build(boot.context), boot.context),
        release.fork(scope, `${kind} "${name}"`)
      )
      contributionsOf(boot, kind).push({ data, name, plugin: plugin.id, value })
    }
    yield* Scope.provide(
      boot.host.mount({ context: boot.context, plugin }),
      release.fork(scope, "its routes")
    )
  }).pipe(limitStep(boot, "acquire", plugin), boot.tree.measure("acquire", plugin.id))

/**
 * Creates the scope of one plugin. The app's scope closes it in its turn. A failing
 * finalizer is logged, and the other plugins are still released.
 */
const makePluginScope = (boot: Boot, { id }: Plugin.Any) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    yield* Scope.addFinalizerExit(boot.scope, (exit) =>
      logWithPlugins(
        boot,
        boot.releases
          .get(id)!
          .close(scope, exit)
          .pipe(boot.tree.measure("release", id), logFailure(`${nameOf(id)} failed to release`))
      )
    )
    return scope
  })

/** Binds the listener. When the app's scope closes, the app drains first. */
const bind = (boot: Boot) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    yield* Scope.addFinalizerExit(boot.scope, (exit) =>
      logWithPlugins(
        boot,
        boot.listener.close(scope, exit).pipe(logFailure("The listener failed to release"))
      )
    )
    const step: Step = (plugin) => (effect) =>
      Effect.suspend(() => {
        const own = boot.listener.fork(scope, `the middleware of plugin "${plugin.id}"`)
        return effect.pipe(Scope.provide(own), limitStep(boot, "bind", plugin))
      })
    const bound = yield* boot.host
      .bind(boot.context, step)
      .pipe(Scope.provide(scope), measurePhase(boot, "bind"))
    yield* Scope.addFinalizer(boot.scope, drain(boot, bound))
    return bound
  })

/** Runs the `ready` of each plugin in their order. */
const ready = (boot: Boot, { address }: Bound) =>
  Effect.forEach(
    boot.plugins,
    (plugin) =>
      plugin.manifest.ready === undefined
        ? Effect.void
        : plugin.manifest
            .ready({ address, environment: boot.config.environment })
            .pipe(
              Effect.provideContext(boot.context),
              limitStep(boot, "ready", plugin),
              boot.tree.measure("ready", plugin.id)
            ),
    { discard: true }
  ).pipe(measurePhase(boot, "ready"), Effect.andThen(setStatus(boot, "ready")))

/**
 * Drains the listener and the plugins at the same time, and then the ports: they can be asked about the
 * drain until it ends. Their requests have the rest of `app.drainTimeout`.
 */
const drain = (boot: Boot, bound: AppBound) =>
  Effect.gen(function* () {
    const { drainDelay, drainTimeout } = boot.settings
    const delay = boot.status === "ready" ? drainDelay : Duration.zero
    boot.status = "draining"
    const end =
      (yield* Clock.currentTimeMillis) + Duration.toMillis(Duration.sum(delay, drainTimeout))
    const plugins = boot.plugins.map(({ id, manifest: { drain = Effect.void } }) =>
      drain.pipe(
        Effect.provideContext(boot.context),
        Effect.interruptible,
        Pending.track(`${nameOf(id)}: drain`),
        Deadline.enforce(
          drainTimeout,
          () => new Cause.TimeoutError(`Not done within ${Duration.format(drainTimeout)}`)
        ),
        logFailure(`${nameOf(id)} failed to drain`)
      )
    )
    const listener = drainListener(boot, "The listener", bound, delay, drainTimeout)
    yield* Effect.all([listener, ...plugins], { concurrency: "unbounded", discard: true })
    const rest = Duration.millis(Math.max(0, end - (yield* Clock.currentTimeMillis)))
    yield* Effect.forEach(
      Object.entries(bound.ports),
      ([name, port]) => drainListener(boot, `The port "${name}"`, port, Duration.zero, rest),
      { concurrency: "unbounded", discard: true }
    )
  }).pipe((drained) => logWithPlugins(boot, drained), boot.tree.measure("drain"))

const drainListener = (
  boot: Boot,
  name: string,
  bound: Bound,
  delay: Duration.Duration,
  timeout: Duration.Duration
) =>
  bound.drain({ delay, timeout }).pipe(
    Pending.track(`${name}: drain`),
    // A handler that cannot be interrupted must not keep the plugins from their release.
    Deadline.enforce(
      Duration.sum(delay, Duration.sum(timeout, boot.settings.releaseTimeout)),
      () => new Cause.TimeoutError("Requests did not end")
    ),
    logFailure(`${name} failed to drain`)
  )

/** Measures a phase of the whole app. Logs the boot tree if the phase fails. */
const measurePhase =
  (boot: Boot, phase: BootTree.Phase) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.onError(boot.tree.measure(phase)(effect), () => logTree(boot))

/**
 * Limits the time of a plugin in one phase. An interruption also ends it within
 * `app.releaseTimeout`, even while the plugin cannot be interrupted.
 */
const limitStep = (boot: Boot, phase: StartTimeoutError["phase"], plugin: Plugin.Any) => {
  const { id, manifest } = plugin
  const limit = Duration.fromInputUnsafe(manifest.startTimeout ?? boot.settings.startTimeout)
  const release = boot.releases.get(id)!
  return <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    effect.pipe(
      MissingService.named(boot.app.id, plugin, boot.plugins),
      Pending.track(`${nameOf(id)}: ${phase}`),
      Deadline.enforce(
        limit,
        () => new StartTimeoutError({ limit, phase, plugin: id }),
        (fiber) => release.stop(fiber, phase)
      )
    )
}

const logTree = (boot: Boot) =>
  logWithPlugins(
    boot,
    Effect.flatMap(boot.tree.steps, (steps) => Effect.logDebug(BootTree.toText(boot.app.id, steps)))
  )

/** Runs an effect of boot with the loggers that plugins have installed so far. */
const logWithPlugins = <A, E>(boot: Boot, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.suspend(() => Effect.provideContext(effect, boot.context))

const logFailure =
  (message: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<void, never, R> =>
    effect.pipe(
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.logError(message, cause)
      ),
      Effect.asVoid
    )
