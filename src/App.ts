/** Apps that run: what `Plugin/App.ts` defines, on the listeners of `Server/`. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import * as Scope from "effect/Scope"
import type { ConfigError } from "./Config/index.ts"
import type * as Definition from "./Plugin/App.ts"
import type { AppRuntime } from "./Plugin/AppRuntime.ts"
import * as Assembly from "./Plugin/Assembly.ts"
import type * as Plugins from "./Plugin/Description.ts"
import type { AssemblyError, BindError, StartTimeoutError } from "./Plugin/Errors.ts"
import * as Lifecycle from "./Plugin/Lifecycle.ts"
import * as Order from "./Plugin/Order.ts"
import * as Host from "./Server/Host.ts"
import * as ConfiguredListener from "./Server/Listener/Configured.ts"
import type { Listener } from "./Server/Listener/Listener.ts"
import * as WebListener from "./Server/Listener/Web/WebListener.ts"

export { type Any, type App, make } from "./Plugin/App.ts"

/** What an app may fail with while it boots. */
export type BootError<A> =
  | AssemblyError
  | BindError
  | ConfigError
  | Definition.Error<A>
  | StartTimeoutError

/** What an app is made of, as data. */
export interface Description extends Plugins.Description {
  /** Every route that is declared by a contract; raw groups are known after boot only. */
  readonly routes: ReadonlyArray<Host.RouteDescription>
}

/**
 * What an app is made of: plugins in the order in which they will be acquired,
 * with what each requires, provides and contributes, and its routes. Acquires
 * nothing. Where the plugins do not fit, they are listed as they were given.
 */
export const describe = (app: Definition.Any): Description => {
  const { order, problems } = Order.solve(app.plugins, Assembly.given)
  const plugins = problems.length > 0 ? app.plugins : order
  return { ...Assembly.describe(app.id, plugins), routes: Host.describeRoutes(plugins) }
}

/** Boots an app on a listener within the current scope; closing the scope drains and releases it. */
export const boot = <A extends Definition.Any>(
  app: A,
  options: { readonly listener: Listener; readonly source?: Lifecycle.ConfigSource }
): Effect.Effect<
  Lifecycle.Running,
  BootError<A>,
  FileSystem.FileSystem | Path.Path | Scope.Scope
> =>
  Lifecycle.boot(app, Host.make(app.id, options.listener), {
    variables: globalThis.process?.env ?? {},
    ...app.config,
    ...options.source
  }) as Effect.Effect<
    Lifecycle.Running,
    // The plugins' own errors are what their types in the list say.
    BootError<A>,
    FileSystem.FileSystem | Path.Path | Scope.Scope
  >

/**
 * The app as a layer: building it boots the app on the listener that
 * `server.listener` names, closing its scope drains and releases it. It provides every service of every plugin.
 */
export const layer = <A extends Definition.Any>(
  app: A
): Layer.Layer<AppRuntime | Definition.Provides<A>, BootError<A>> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const { address, context, runtime } = yield* boot(app, {
        listener: ConfiguredListener.listen
      })
      // An app without the Logging battery says it too, by Effect's own logger.
      yield* Effect.provideContext(
        Effect.logInfo(`${runtime.name} ${runtime.version} listens on ${address}`),
        context
      )
      return context as Context.Context<AppRuntime | Definition.Provides<A>>
    })
  ).pipe(Layer.provide(nodeFiles))

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

/** Boots the app on its listener and keeps it until it is interrupted. */
export const launch = <A extends Definition.Any>(app: A): Effect.Effect<never, BootError<A>> =>
  Layer.launch(layer(app))

/**
 * Runs the app as the main program of a Node process.
 *
 * - SIGTERM and SIGINT drain and release it; the exit code is then 0.
 * - A second signal stops at once, with exit code 1.
 * - An uncaught exception is logged, then the app drains; the exit code is 1.
 * - A failed boot is reported, and what was acquired released; the exit code is 1.
 */
export const run = (app: Definition.Any): void => {
  void import("./Server/Listener/Process.ts").then(({ main }) =>
    main((booted) =>
      Effect.scoped(
        Effect.flatMap(Layer.build(layer(app)), (context) => {
          booted(context)
          return Effect.never
        })
      )
    )
  )
}

/** An app in memory. */
export interface WebApp {
  /** Drains and releases the app; a boot that is under way is interrupted. */
  readonly dispose: () => Promise<void>
  /**
   * Answers a request. The first call boots the app; it and those after it wait
   * for that, and reject with what boot fails with. Rejects after `dispose`.
   */
  readonly handler: WebListener.WebHandler
}

/**
 * The app as a function from `Request` to `Response`: for serverless hosts, Bun,
 * Deno and tests. No socket is bound.
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
export const toWebHandler = (app: Definition.Any): WebApp => {
  const disposal = new AbortController()
  const scope = Scope.makeUnsafe()
  let booted: Promise<WebListener.WebHandler> | undefined
  const start = () => {
    let answer: WebListener.WebHandler
    return Effect.runPromise(
      boot(app, { listener: WebListener.make((handler) => (answer = handler)) }).pipe(
        Effect.map(() => answer),
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause))),
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
