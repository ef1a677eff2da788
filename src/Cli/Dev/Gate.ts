/**
 * The listening sockets of `flange dev`. They stay open while the app restarts: a connection goes to
 * the app, or waits for it, or gets the page of an error.
 */
import { createServer, type ListenOptions, type Server, type Socket } from "node:net"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { appName, type Failure, type Listening } from "./Messages.ts"
import * as Page from "./Page.ts"

/** The listening sockets. */
export interface Gate {
  /** Lets connections wait from now on. */
  readonly hold: () => void
  /** Listens for the listener of the app, or for a port of this name, unless it listens there already. */
  readonly listen: (options: ListenOptions, name: string) => Promise<Listening>
  /**
   * Passes connections on from now on, also those that wait, each with the name for which it came.
   * Those that are not taken wait.
   */
  readonly open: (take: (socket: Socket, name: string) => boolean) => void
  /**
   * Answers requests with the page of an error from now on. If nothing listens yet, it listens where
   * the app would, unless that is impossible.
   */
  readonly refuse: (failure: Failure) => Effect.Effect<void>
}

interface Listener {
  readonly key: string
  readonly server: Server
}

const keyOf = ({ host, path, port }: ListenOptions): string => path ?? `${host} ${port}`

/** Creates the sockets. They close with the scope. */
export const make: Effect.Effect<Gate, never, Scope.Scope> = Effect.gen(function* () {
  const listeners = new Map<string, Listener>()
  const page = Page.make()
  let waiting: Array<readonly [socket: Socket, name: string]> = []
  const wait = (socket: Socket, name: string): void => void waiting.push([socket, name])
  let pass = wait
  const passTo = (next: (socket: Socket, name: string) => void) => {
    pass = next
    const connections = waiting
    waiting = []
    for (const connection of connections) pass(...connection)
  }
  const close = (name: string) => {
    listeners.get(name)?.server.close()
    listeners.delete(name)
  }
  const listen = (options: ListenOptions, name: string): Promise<Listening> =>
    new Promise((answer) => {
      const key = keyOf(options)
      const existing = listeners.get(name)
      if (existing?.key === key) return answer({ address: existing.server.address() })
      // Nothing is read here: the bytes belong to the process that gets the connection.
      const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
        // A client may go away at any time.
        socket.on("error", () => {})
        pass(socket, name)
      })
      // Errors of a server that listens already, such as too many open files, pass.
      server.on("error", ({ code }: NodeJS.ErrnoException) => {
        // The app has moved to another host of the same port.
        const moves = listeners.get(name)?.key.endsWith(` ${options.port}`) === true
        if (code !== "EADDRINUSE" || !moves) return answer({ code })
        close(name)
        answer(listen(options, name))
      })
      server.listen(options, () => {
        // The app has moved to another port. The connections of the old one stay.
        close(name)
        listeners.set(name, { key, server })
        answer({ address: server.address() })
      })
    })
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const name of listeners.keys()) close(name)
      for (const [socket] of waiting) socket.destroy()
    })
  )
  return {
    hold: () => passTo(wait),
    listen,
    open: (take) =>
      passTo((socket, name) => {
        if (!take(socket, name)) wait(socket, name)
      }),
    refuse: (failure) =>
      Effect.promise(async () => {
        passTo((socket) => page(socket, failure))
        if (!listeners.has(appName) && failure.address !== undefined) {
          await listen(failure.address, appName)
        }
      })
  }
})
