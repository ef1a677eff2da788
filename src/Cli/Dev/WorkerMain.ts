/**
 * The program of a process in which `flange dev` runs the app. It loads and starts the app when it is
 * told to. Another process accepts the connections and sends them here.
 */
import { registerHooks } from "node:module"
import type { Server, Socket } from "node:net"
import { resolve } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as App from "../../App.ts"
import * as Config from "../../Config/index.ts"
import { Companion, type Report } from "../../Plugin/Companion.ts"
import * as Bind from "../../Server/Listener/Bind.ts"
import * as ConfiguredListener from "../../Server/Listener/ConfiguredListener.ts"
import type { Listener } from "../../Server/Listener/Listener.ts"
import * as Process from "../../Server/Listener/Process.ts"
import { ServerConfig } from "../../Server/ServerConfig.ts"
import * as AppFile from "../AppFile.ts"
import * as CurrentApp from "../CurrentApp.ts"
import { appName, type FromWorker, type Listening, type ToWorker } from "./Messages.ts"
import * as Place from "./Place.ts"

const files = Layer.merge(NodeFileSystem.layer, NodePath.layer)

const say = (message: FromWorker): Promise<void> =>
  new Promise((done) => {
    process.send!(message, undefined, {}, () => done())
  })

let modules: Array<string> = []
registerHooks({
  resolve: (specifier, context, next) => {
    const result = next(specifier, context)
    if (modules.push(result.url) === 1) {
      setImmediate(() => {
        void say({ modules: [...new Set(modules)] })
        modules = []
      })
    }
    return result
  }
})

let onListening: (answer: Listening) => void = () => {}
const servers = new Map<string, Server>()

/** Listens for the listener of the app, or for a port. One asks after the other. */
const listenFor =
  (name: string): Bind.Listen =>
  (asking, options) =>
    Effect.callback((resume) => {
      onListening = (answer) => {
        if ("code" in answer) {
          return resume(Effect.fail(Object.assign(new Error(answer.code), { code: answer.code })))
        }
        servers.set(name, asking)
        // Servers of `node:http` begin to watch for slow clients.
        asking.emit("listening")
        resume(Effect.succeed(answer.address))
      }
      void say({ listen: { name, options } })
    })

const accept = (socket: Socket | undefined, name: string): void => {
  // The client has gone meanwhile.
  if (socket === undefined) return
  const server = servers.get(name)
  if (server === undefined) return void socket.destroy()
  // As both listeners set them.
  socket.allowHalfOpen = true
  socket.setNoDelay(true)
  server.emit("connection", socket)
}

let onCompanion: (report: Report) => void = () => {}

const companion: Companion = (program, argument) =>
  Effect.callback((resume) => {
    onCompanion = (report) =>
      resume("value" in report ? Effect.succeed(report.value) : Effect.fail(report.error))
    void say({ companion: { argument, program } })
  })

/** Without a probe: the address is that of the app that this one replaces. */
const listenerFor =
  (name: string): Listener =>
  (options) =>
    Effect.provideService(ConfiguredListener.listen(options), Bind.Listen, listenFor(name))

const listener: Listener = Object.assign(listenerFor(appName), { port: listenerFor })

let app: App.Any | undefined

/** Returns where the app would listen; undefined if its configuration cannot be read. */
const addressOf = (source: Partial<App.Any["config"]>) =>
  Config.load({ secret: "keep", sections: [ServerConfig], variables: process.env, ...source }).pipe(
    Effect.flatMap(({ context }) => Effect.provide(ServerConfig, context)),
    Effect.map(({ host, listener, port, socket }) =>
      listener === "proxied" && socket !== undefined
        ? { path: socket }
        : { host: host ?? Bind.defaultHosts[listener], port }
    )
  )

const fail = (error: unknown, text: string, began: boolean) =>
  addressOf({ envFiles: true, ...app?.config }).pipe(
    Effect.catch(() => addressOf({ values: {} })),
    Effect.orElseSucceed(() => undefined),
    Effect.provide(files),
    Effect.flatMap((address) =>
      Effect.promise(() => say({ failed: { address, began, place: Place.of(error), text } }))
    )
  )

const load = (file: string): Promise<void> => {
  process.argv = [process.argv[0]!, resolve(file)]
  return Effect.runPromise(
    Effect.matchEffect(AppFile.load(Option.some(file)), {
      onFailure: (error) => fail(error, error.message, false),
      onSuccess: (loaded) => {
        app = loaded
        return Effect.promise(() => say({ loaded: true }))
      }
    })
  )
}

/** The configuration of an app whose end is waited for. */
const brief = { app: { drainTimeout: "1 second" } }

const boot = (app: App.Any, isBrief: boolean): void => {
  let isReady = false
  const source = {
    overrides: CurrentApp.merged(
      app.config.overrides,
      { app: { drainDelay: 0 } },
      isBrief ? brief : undefined
    )
  }
  Process.main((booted) =>
    Effect.scoped(
      Effect.gen(function* () {
        const { address, context, ports } = yield* App.boot(app, { listener, source })
        isReady = true
        booted(context as never) // Plugins add services of any type.
        void say({ ready: { address, ports } })
        return yield* Effect.never
      })
    ).pipe(
      Effect.provideService(Companion, companion),
      Effect.provide(files),
      Effect.catchCause((cause) =>
        isReady || Cause.hasInterruptsOnly(cause)
          ? Effect.failCause(cause)
          : fail(Cause.squash(cause), Process.report(cause), true)
      )
    )
  )
  ignoreInterrupts()
}

/** A terminal sends SIGINT to this process too, and `flange dev` decides what it means. */
const ignoreInterrupts = () => process.removeAllListeners("SIGINT").on("SIGINT", () => {})

/** Drains the app if it has begun to start. */
const stop = () => {
  if (!process.emit("SIGHUP", "SIGHUP")) process.exit(0)
}

const preload = async (urls: ReadonlyArray<string>): Promise<void> => {
  for (const url of urls) await import(url).catch(() => {})
}

let work = Promise.resolve()
process.on("message", (message: ToWorker, socket?: Socket) => {
  if ("boot" in message) boot(app!, message.boot.isBrief)
  else if ("companion" in message) onCompanion(message.companion)
  else if ("connection" in message) accept(socket, message.connection)
  else if ("listening" in message) onListening(message.listening)
  else if ("load" in message) work = work.then(() => load(message.load))
  else if ("preload" in message) work = work.then(() => preload(message.preload))
  else stop()
})
process.on("disconnect", stop)
process.on("uncaughtExceptionMonitor", (error) => {
  void say({ crashed: { place: Place.of(error), text: String(error) } })
})
ignoreInterrupts()
