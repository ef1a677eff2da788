/** Apps: their definition, and the functions that boot and run them on a listener. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import * as Scope from "effect/Scope"
import type { ConfigError } from "./Config/index.ts"
import * as Api from "./Plugin/Api.ts"
import type * as AppDefinition from "./Plugin/AppDefinition.ts"
import type { AppRuntime } from "./Plugin/AppRuntime.ts"
import * as Assembly from "./Plugin/Boot/Assembly.ts"
import * as Boot from "./Plugin/Boot/Boot.ts"
import * as Order from "./Plugin/Boot/Order.ts"
import type { ConfigSource } from "./Plugin/ConfigSource.ts"
import type { AppDescription } from "./Plugin/Description.ts"
import type { AssemblyError, BindError, StartTimeoutError } from "./Plugin/Errors.ts"
import * as Handover from "./Plugin/Handover.ts"
import * as Host from "./Server/Host.ts"
import * as ConfiguredListener from "./Server/Listener/ConfiguredListener.ts"
import type { Listener } from "./Server/Listener/Listener.ts"
import * as WebListener from "./Server/Listener/Web/WebListener.ts"
import { CurrentPart } from "./Server/Listener/Workers/MainProcess.ts"
import type { RoutesDescription } from "./Server/Route/Description.ts"
import * as RouteDescription from "./Server/RouteDescription.ts"
import * as RouteTableText from "./Server/RouteTableText.ts"

export { type Any, type App, make } from "./Plugin/AppDefinition.ts"

/** The errors with which an app may fail while it boots. */
export type BootError<A> =
  | AppDefinition.Error<A>
  | AssemblyError
  | BindError
  | ConfigError
  | StartTimeoutError

/** The parts of an app, as data. */
export interface Description extends AppDescription, RoutesDescription {}

/**
 * Describes an app: its plugins in the order in which they are acquired, with what each requires,
 * provides and contributes, and its routes, with who may call each and which transaction it has.
 * Nothing is configured or acquired. If the plugins do not fit together, they keep the order of
 * the list.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
 * import { App, Plugin, Route } from "flange"
 *
 * class PingApi extends HttpApiGroup.make("ping").add(HttpApiEndpoint.get("ping", "/ping")) {}
 * const PingPlugin = Plugin.make("app:ping", {
 *   routes: [Route.public(PingApi, (handlers) => handlers.handleAll({ ping: () => Effect.void }))]
 * })
 * const [ping] = App.describe(App.make("ping", [PingPlugin])).routes
 * const { access, name, transaction } = ping!
 * ;[access, name, transaction] // => ["public", "ping.ping", "none"]
 * ```
 */
export const describe = (app: AppDefinition.Any): Description => {
  const { order, problems } = Order.solve(app.plugins)
  const plugins = problems.length > 0 ? app.plugins : order
  return {
    ...Assembly.describe(app.id, plugins),
    ...RouteDescription.describe(plugins, Api.make(app.id, app.plugins))
  }
}

/**
 * Returns the routes of an app as a table for people: a line for each route, by path and method,
 * with who may call it, its guards, its transaction, its limits and its errors. It leaves out the
 * errors that every route has.
 */
export const routesTable = (description: RoutesDescription): string =>
  RouteTableText.render(description)

/**
 * Boots an app on a listener in the current scope. Closing the scope drains and releases it, and
 * dies with `ReleaseTimeoutError` if a plugin did not release everything in time.
 */
export const boot = <A extends AppDefinition.Any>(
  app: A,
  options: {
    /** Turns bytes into requests. */
    readonly listener: Listener
    /** Where the configuration comes from. Default: files and variables. */
    readonly source?: ConfigSource
  }
): Effect.Effect<Boot.Running, BootError<A>, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Boot.boot(app, Host.make(app.id, options.listener), {
    envFiles: true,
    variables: globalThis.process?.env ?? {},
    ...app.config,
    ...options.source
  }) as Effect.Effect<
    Boot.Running,
    // Plugins fail with the errors in their types, which boot does not know.
    BootError<A>,
    FileSystem.FileSystem | Path.Path | Scope.Scope
  >

/**
 * Returns the app as a layer that provides every service of every plugin. Building it boots
 * the app on the listener that `server.listener` names; closing its scope drains and releases
 * the app, and dies with `ReleaseTimeoutError` if a plugin did not release everything in time.
 */
export const layer = <A extends AppDefinition.Any>(
  app: A
): Layer.Layer<AppDefinition.Provides<A> | AppRuntime, BootError<A>> =>
  Layer.effectContext(
    Effect.gen(function* () {
      let stopped = Effect.void
      // The first finalizer of a scope runs last: everything is released by then.
      yield* Effect.addFinalizer(() => stopped)
      const { address, context, ports, runtime } = yield* boot(app, {
        listener: ConfiguredListener.listen
      })
      // An app without the Logging battery logs it too, by Effect's own logger.
      const log = (what: string) =>
        Effect.provideContext(Effect.logInfo(`${runtime.name} ${runtime.version} ${what}`), context)
      stopped = log("stopped")
      const { role } = runtime
      yield* log(`listens on ${address}${role === "all" ? "" : ` in the role "${role}"`}`)
      for (const [name, at] of Object.entries(ports)) {
        yield* log(`listens on ${at} for the port "${name}"`)
      }
      return context as Context.Context<AppDefinition.Provides<A> | AppRuntime>
    }).pipe(withoutWorkers)
  ).pipe(Layer.provide(nodeFiles))

/** Refuses `server.workers` above 1 unless `App.run` has started the app. */
const withoutWorkers: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> =
  Effect.updateService(CurrentPart, (part) => (part === "alone" ? "refused" : part))

// `NodeServices` would also load child processes and terminals.
const nodeFiles = Layer.unwrap(
  Effect.promise(async () => {
    const [files, path] = await Promise.all([
      import("@effect/platform-node/NodeFileSystem"),
      import("@effect/platform-node/NodePath")
    ])
    return Layer.merge(files.layer, path.layer)
  })
)

/**
 * Boots the app on its listener and runs it until it is interrupted. An interruption drains and
 * releases it, as closing the scope of `layer` does.
 */
export const launch = <A extends AppDefinition.Any>(app: A): Effect.Effect<never, BootError<A>> =>
  Layer.launch(layer(app))

/**
 * Runs the app as the main program of a Node process.
 *
 * - SIGTERM, SIGINT and SIGHUP drain and release the app; the exit code is 0.
 * - A second SIGTERM or SIGINT stops the process at once, and the log has what did not end; the
 *   exit code is 1.
 * - What does not end within `app.releaseTimeout` is named; everything else is released, and the
 *   exit code is 70.
 * - An uncaught exception is logged, then the app drains; the exit code is 1.
 * - A failed boot is reported and releases what was acquired; the exit code is 1.
 * - With `server.workers` above 1 the process is a supervisor, which starts this program again for each
 *   worker. It drains all of them, and SIGHUP replaces them one after the other.
 *
 * The command `flange` imports the file without running the app.
 */
export const run = (app: AppDefinition.Any): void => {
  if (Handover.give(app)) return
  void import("./Server/Listener/Process.ts").then(({ main }) =>
    main(
      (booted) =>
        Effect.scoped(
          Effect.flatMap(Layer.build(layer(app)), (context) => {
            booted(context)
            return Effect.never
          })
        ),
      { workers: true }
    )
  )
}

/** An app without a socket. */
export interface WebApp {
  /**
   * Drains and releases the app. Interrupts a boot that has not ended. Rejects with
   * `ReleaseTimeoutError` if a plugin did not release everything in time.
   */
  readonly dispose: () => Promise<void>
  /**
   * Answers a request. The first call boots the app, and every call waits for the boot.
   * Rejects with the error of a failed boot, and after `dispose`.
   */
  readonly handler: WebListener.WebHandler
}

/**
 * Returns the app as a function from `Request` to `Response`, for serverless hosts, Bun,
 * Deno and tests. It binds no socket.
 *
 * @example
 * ```ts
 * import { App, Plugin } from "flange"
 *
 * const web = App.toWebHandler(App.make("empty", [Plugin.make("app:none", {})]))
 * const response = await web.handler(new Request("http://app/nowhere"))
 * response.status // => 404
 * await web.dispose()
 * ```
 */
export const toWebHandler = (app: AppDefinition.Any): WebApp => {
  const disposal = new AbortController()
  const scope = Scope.makeUnsafe()
  let booted: Promise<WebListener.WebHandler> | undefined
  const start = () => {
    let answer: WebListener.WebHandler
    return Effect.runPromise(
      boot(app, { listener: WebListener.make((handler) => (answer = handler)) }).pipe(
        Effect.map(() => answer),
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause))),
        withoutWorkers,
        Effect.provide(nodeFiles),
        Scope.provide(scope)
      ),
      { signal: disposal.signal }
    )
  }
  return {
    dispose: async () => {
      disposal.abort()
      await booted?.catch(() => {})
      await Effect.runPromise(Scope.close(scope, Exit.void))
    },
    handler: async (request) => {
      if (disposal.signal.aborted) {
        throw new Error(`App "${app.id}" was disposed: it takes no more requests.`)
      }
      return (await (booted ??= start()))(request)
    }
  }
}
