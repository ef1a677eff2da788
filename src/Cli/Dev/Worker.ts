/** A process that runs the app, as `flange dev` sees it. */
import { fork } from "node:child_process"
import type { Socket } from "node:net"
import { extname, join, resolve } from "node:path"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Report } from "../../Plugin/Companion.ts"
import type { Gate } from "./Gate.ts"
import type { Failure, FromWorker, Ready, ToWorker } from "./Messages.ts"

/** A process that runs the app. */
export interface Worker {
  /** Starts the loaded app, with a short drain if `isBrief`. Returns its addresses when it serves requests. */
  readonly boot: (isBrief: boolean) => Effect.Effect<Ready, Failure>
  /** Waits for a crash or for the end of the process. */
  readonly ended: Effect.Effect<Failure>
  readonly isAlive: () => boolean
  /** Ends the process at once. */
  readonly kill: () => void
  /** Loads the app of a file. */
  readonly load: (file: string) => Effect.Effect<void, Failure>
  /** Drains the app, and waits for the end of the process. */
  readonly stop: Effect.Effect<void>
  /** Takes a connection to the listener of this name. Returns false if the process has ended. */
  readonly take: (socket: Socket, name: string) => boolean
}

const program = join(import.meta.dirname, `WorkerMain${extname(import.meta.filename)}`)

/** How long a worker may take to drain. An app that is caught in a loop never does. */
const patience = "10 seconds"

/** Begins a process. It loads modules of packages while there is nothing else to do. */
export const make = (options: {
  readonly gate: Gate
  /** Runs a companion for the worker. */
  readonly onCompanion: (program: string, argument: string) => Promise<Report>
  readonly onModules: (urls: ReadonlyArray<string>) => void
  readonly packages: ReadonlyArray<string>
}): Worker => {
  const { gate, onCompanion, onModules, packages } = options
  const child = fork(program, {
    env: { NODE_COMPILE_CACHE: resolve(".flange/cache"), ...process.env },
    stdio: ["ignore", "inherit", "inherit", "ipc"]
  })
  const loaded = Deferred.makeUnsafe<void, Failure>()
  const ready = Deferred.makeUnsafe<Ready, Failure>()
  const ended = Deferred.makeUnsafe<Failure>()
  const exited = Deferred.makeUnsafe<void>()
  const send = (message: ToWorker, socket?: Socket) =>
    // A process that has ended has told so already.
    child.send(message, socket, {}, (error) => error !== null && socket?.destroy())
  let began = false
  const fail = (failure: Failure) => {
    Deferred.doneUnsafe(loaded, Effect.fail(failure))
    Deferred.doneUnsafe(ready, Effect.fail(failure))
    Deferred.doneUnsafe(ended, Effect.succeed(failure))
  }
  child.on("message", (message: FromWorker) => {
    if ("companion" in message) {
      const { argument, program } = message.companion
      void onCompanion(program, argument).then((companion) => send({ companion }))
    } else if ("listen" in message) {
      const { name, options } = message.listen
      void gate.listen(options, name).then((listening) => send({ listening }))
    } else if ("loaded" in message) Deferred.doneUnsafe(loaded, Effect.void)
    else if ("failed" in message) fail(message.failed)
    else if ("ready" in message) Deferred.doneUnsafe(ready, Effect.succeed(message.ready))
    else if ("modules" in message) onModules(message.modules)
    else fail({ address: undefined, began, ...message.crashed })
  })
  const onEnd = (how: string) => {
    fail({ address: undefined, began, place: undefined, text: `The app ended: ${how}.` })
    Deferred.doneUnsafe(exited, Effect.void)
  }
  child.once("error", ({ message }) => onEnd(message))
  child.once("exit", (code, signal) => onEnd(signal ?? `exit code ${code}`))
  send({ preload: packages })
  const kill = () => void child.kill("SIGKILL")
  return {
    boot: (isBrief) =>
      Effect.suspend(() => {
        began = true
        send({ boot: { isBrief } })
        return Deferred.await(ready)
      }),
    ended: Deferred.await(ended),
    isAlive: () => child.connected,
    kill,
    load: (file) =>
      Effect.suspend(() => {
        send({ load: file })
        return Deferred.await(loaded)
      }),
    stop: Effect.suspend(() => {
      send({ stop: true })
      return Deferred.await(exited).pipe(
        Effect.timeoutOrElse({
          duration: patience,
          orElse: () => Effect.andThen(Effect.sync(kill), Deferred.await(exited))
        })
      )
    }),
    take: (socket, name) => child.connected && (send({ connection: name }, socket), true)
  }
}
