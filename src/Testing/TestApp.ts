/** An app under test: the real plugins, booted the way production boots them. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as App from "../App.ts"
import type * as Client from "../Contract/Client.ts"
import type { AppRuntime } from "../Plugin/AppRuntime.ts"
import type * as Contribution from "../Plugin/Contribution.ts"
import * as ConfiguredListener from "../Server/Listener/ConfiguredListener.ts"
import type { Listener } from "../Server/Listener/Listener.ts"
import * as WebListener from "../Server/Listener/Web/WebListener.ts"
import * as Ports from "../Server/Ports.ts"
import * as Replacements from "./Replacements.ts"
import * as Requests from "./Requests.ts"
import * as TestLogs from "./TestLogs.ts"
import * as TestOptions from "./TestOptions.ts"
import type { TestOptionsError } from "./TestOptionsError.ts"
import * as TestPort from "./TestPort.ts"

/**
 * A booted app and the means to talk to it. Every request runs on the clock of the fiber that sends
 * it, so `TestClock.adjust` moves its timeouts and sleeps. If that fiber is interrupted, the client
 * has disconnected.
 */
export interface TestApp<Provides, Contracts extends Contribution.Contract>
  extends Requests.Requests {
  /** The typed client of `app.api`; errors come back as the classes of the contract. */
  readonly client: Client.Client<Contribution.Group<Contracts>>
  /**
   * Throws an `AssertionError` if the app logged a line at level Error or Fatal. Its message has
   * all such lines with their causes.
   */
  readonly expectNoErrors: () => void
  /**
   * Every line of the app's log since it began to boot, oldest first. The list grows while the app
   * runs.
   */
  readonly logs: ReadonlyArray<TestLogs.LogEntry>
  /**
   * Returns the means to talk to a port of the app, such as `admin`, the same way as to the app. Throws
   * if no plugin contributes it.
   */
  readonly port: (name: string) => TestPort.TestPort
  /** Runs an effect with the services of the app. */
  readonly run: <A, E, R>(
    effect: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, Exclude<R, AppRuntime | Provides>>
  /** The services of the app. */
  readonly services: Context.Context<AppRuntime | Provides>
  /** The URL that paths are relative to. In memory it is `http://localhost`, without a socket. */
  readonly url: string
}

/** The identifier of the `TestApp` of the app with this id, in the requirements of an effect. */
export interface Booted<Id extends string> {
  readonly key: `flange/TestApp/${Id}`
}

/**
 * Returns the key under which `layer` and `layerListening` provide the `TestApp` of an app.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { App, Plugin } from "flange"
 * import { TestApp } from "flange/Testing"
 *
 * const app = App.make("empty", [Plugin.make("app:none", {})])
 * const program = Effect.gen(function*() {
 *   const test = yield* TestApp.service(app)
 *   const response = yield* test.get("/nowhere")
 *   return response.expectProblem("ROUTE_NOT_FOUND", 404).status
 * })
 * await Effect.runPromise(Effect.provide(program, TestApp.layer(app))) // => 404
 * ```
 */
export const service = <const Id extends string, P, E, C extends Contribution.Contract>(
  app: App.App<Id, P, E, C>
): Context.Service<Booted<Id>, TestApp<P, C>> => Context.Service(`flange/TestApp/${app.id}`)

/** The errors with which booting an app for a test may fail. */
export type BootError<E, Rs extends ReadonlyArray<Replacements.Replacement>> =
  | App.BootError<App.App<string, never, E>>
  | Replacements.Error<Rs>
  | TestOptionsError

type Options<Rs extends ReadonlyArray<Replacements.Replacement>, P> = Omit<
  TestOptions.Options,
  "replace"
> &
  Replacements.Fit<Rs, P> & { readonly replace?: Rs | undefined }

type Needs<C extends Contribution.Contract> = HttpApiGroup.MiddlewareClient<Contribution.Group<C>>

/**
 * Boots an app in memory within the current scope: the same assembly, plugins,
 * slots and error replies as in production, without a socket. Closing the scope
 * drains and releases it. Neither files nor variables are read unless the options
 * name them; the environment is `test`.
 *
 * Fails with the errors of the app's boot, and with `TestOptionsError` if the options contradict
 * each other or the app.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
 * import * as Schema from "effect/Schema"
 * import { App, Plugin, Route } from "flange"
 * import { TestApp } from "flange/Testing"
 *
 * class PingApi extends HttpApiGroup.make("ping").add(
 *   HttpApiEndpoint.get("ping", "/ping", { success: Schema.String })
 * ) {}
 * const PingPlugin = Plugin.make("app:ping", {
 *   routes: [Route.public(PingApi, (handlers) =>
 *     handlers.handleAll({ ping: () => Effect.succeed("pong") }))]
 * })
 *
 * const test = Effect.gen(function*() {
 *   const app = yield* TestApp.make(App.make("ping", [PingPlugin]))
 *   const response = yield* app.get("/ping")
 *   response.expectStatus(200).expectJson("pong")
 *   return yield* app.client.ping.ping()
 * })
 * await Effect.runPromise(Effect.scoped(test)) // => "pong"
 * ```
 */
export const make = <
  const Id extends string,
  P,
  E,
  C extends Contribution.Contract,
  const Rs extends ReadonlyArray<Replacements.Replacement>
>(
  app: App.App<Id, P, E, C>,
  options: Options<Rs, P> = {}
): Effect.Effect<TestApp<P, C>, BootError<E, Rs>, Needs<C> | Scope.Scope> =>
  Effect.suspend(() => {
    let handler: WebListener.ContextualWebHandler | undefined
    const ports = new Map<string, WebListener.ContextualWebHandler>()
    return boot(app, options, {
      defaults: {},
      listener: WebListener.make(
        (made) => {
          handler = made
        },
        (name, made) => ports.set(name, made)
      ),
      // Boot binds the listeners before a test can send a request.
      transport: (port) => (port === undefined ? handler! : ports.get(port)!)
    })
  })

/** `make` as a layer: it provides the `TestApp` of `service(app)` and the app's services. */
export const layer = <
  const Id extends string,
  P,
  E,
  C extends Contribution.Contract,
  const Rs extends ReadonlyArray<Replacements.Replacement>
>(
  app: App.App<Id, P, E, C>,
  options: Options<Rs, P> = {}
): Layer.Layer<AppRuntime | Booted<Id> | P, BootError<E, Rs>, Needs<C>> =>
  toLayer(app, make<Id, P, E, C, Rs>(app, options))

/**
 * Boots an app like `make`, but on a real socket: `node:http` on a free port of 127.0.0.1, unless
 * `config.server` sets another listener, host or port. Requests run on the clock of the fiber that
 * booted the app.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { App, Plugin } from "flange"
 * import { TestApp } from "flange/Testing"
 *
 * const test = Effect.gen(function*() {
 *   const app = yield* TestApp.listening(App.make("empty", [Plugin.make("app:none", {})]))
 *   return (yield* Effect.promise(() => fetch(`${app.url}/nowhere`))).status
 * })
 * await Effect.runPromise(Effect.scoped(test)) // => 404
 * ```
 */
export const listening = <
  const Id extends string,
  P,
  E,
  C extends Contribution.Contract,
  const Rs extends ReadonlyArray<Replacements.Replacement>
>(
  app: App.App<Id, P, E, C>,
  options: Options<Rs, P> = {}
): Effect.Effect<TestApp<P, C>, BootError<E, Rs>, Needs<C> | Scope.Scope> =>
  boot(app, options, {
    defaults: {
      ...Object.fromEntries(Ports.of(app.plugins).map(({ port }) => [port.name, { port: 0 }])),
      server: { host: "127.0.0.1", port: 0 }
    },
    listener: ConfiguredListener.listen,
    transport: () => (request) => fetch(request)
  })

/** `listening` as a layer: it provides the `TestApp` of `service(app)` and the app's services. */
export const layerListening = <
  const Id extends string,
  P,
  E,
  C extends Contribution.Contract,
  const Rs extends ReadonlyArray<Replacements.Replacement>
>(
  app: App.App<Id, P, E, C>,
  options: Options<Rs, P> = {}
): Layer.Layer<AppRuntime | Booted<Id> | P, BootError<E, Rs>, Needs<C>> =>
  toLayer(app, listening<Id, P, E, C, Rs>(app, options))

const toLayer = <Id extends string, P, E, C extends Contribution.Contract, E2, R>(
  app: App.App<Id, P, E, C>,
  made: Effect.Effect<TestApp<P, C>, E2, R>
): Layer.Layer<AppRuntime | Booted<Id> | P, E2, Exclude<R, Scope.Scope>> =>
  Layer.effectContext(Effect.map(made, (test) => Context.add(test.services, service(app), test)))

interface Place {
  /** Configuration that the options override. */
  readonly defaults: object
  readonly listener: Listener
  /**
   * Returns the function that sends requests to the listener of the app, or to that of a port. It is
   * called after they are bound.
   */
  readonly transport: (port?: string) => WebListener.ContextualWebHandler
}

const boot = <
  Id extends string,
  P,
  E,
  C extends Contribution.Contract,
  Rs extends ReadonlyArray<Replacements.Replacement>
>(
  app: App.App<Id, P, E, C>,
  options: TestOptions.Options,
  { defaults, listener, transport }: Place
): Effect.Effect<TestApp<P, C>, BootError<E, Rs>, Needs<C> | Scope.Scope> =>
  Effect.gen(function* () {
    const wrong = TestOptions.check(app, options)
    if (wrong !== undefined) return yield* wrong
    const logs = TestLogs.make(options.printLogs ?? false)
    const collect = TestLogs.collecting(logs)
    const plugins = Replacements.apply(app.id, app.plugins, options.replace ?? []).map(
      (plugin) => ({
        ...plugin,
        manifest: {
          ...plugin.manifest,
          layer: TestLogs.collectingLayer(logs)(plugin.manifest.layer)
        }
      })
    )
    const files = yield* Layer.build(Layer.merge(NodeFileSystem.layer, NodePath.layer))
    // The app has a scope of its own, so that the log of drain and release is collected too.
    const gone = new AbortController()
    const scope = yield* Effect.acquireRelease(Scope.make(), (own, exit) =>
      collect(hangingUp(gone, Scope.close(own, exit)))
    )
    const running = yield* App.boot(
      { ...app, plugins },
      { listener, source: TestOptions.source(app, options, defaults) }
    ).pipe(Scope.provide(scope), Effect.provideContext(files), collect)
    const services = running.context as Context.Context<AppRuntime | P>
    const url = running.address ?? inMemory
    const ports = Object.fromEntries(
      Object.entries(running.ports).map(([name, at]) => [name, at ?? inMemory])
    )
    const sending =
      (handler: WebListener.ContextualWebHandler): WebListener.ContextualWebHandler =>
      (request, references) => {
        const signal = AbortSignal.any([gone.signal, request.signal])
        return handler(new Request(request, { signal }), references)
      }
    const send = sending(transport())
    return {
      ...Requests.requests(app.id, url, logs.entries, send),
      client: yield* Requests.clientOf(app, url, send),
      expectNoErrors: function expectNoErrors() {
        TestLogs.expectNoErrors(logs.entries, expectNoErrors)
      },
      logs: logs.entries,
      port: (name) =>
        TestPort.make(app.id, name, {
          logs: logs.entries,
          ports,
          transport: () => sending(transport(name))
        }),
      run: (effect) => Effect.provideContext(effect, services),
      services,
      url
    }
  })

/** The URL of an app without a socket. */
const inMemory = "http://localhost"

/**
 * Aborts the requests that are still in flight one second after the release began. Otherwise a test
 * that never moves its clock would wait forever for their drain.
 */
const hangingUp = (gone: AbortController, release: Effect.Effect<void>) =>
  Effect.suspend(() => {
    const timer = setTimeout(() => gone.abort(), 1000)
    return Effect.ensuring(
      release,
      Effect.sync(() => clearTimeout(timer))
    )
  })
