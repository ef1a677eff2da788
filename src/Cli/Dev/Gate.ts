/**
 * The listening sockets of `flange dev`. They stay open while the app restarts: a connection goes to
 * the app, or waits for it, or gets the page of an error.
 */
import { createServer, type ListenOptions, type Server, type Socket } from "node:net"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Failure, Listening } from "./Messages.ts"
import * as Page from "./Page.ts"

/** The listening sockets. */
export interface Gate {
  /** Lets connections wait from now on. */
  readonly hold: () => void
  /** Listens, unless it listens there already. */
  readonly listen: (options: ListenOptions) => Promise<Listening>
  /** Passes connections on from now on, also those that wait. Those that are not taken wait. */
  readonly open: (take: (socket: Socket) => boolean) => void
  /**
   * Answers requests with the page of an error from now on. If nothing listens yet, it listens where
   * the app would, unless that is impossible.
   */
  readonly refuse: (failure: Failure) => Effect.Effect<void>
}

const keyOf = ({ host, path, port }: ListenOptions): string => path ?? `${host} ${port}`

/** Creates the sockets. They close with the scope. */
export const make: Effect.Effect<Gate, never, Scope.Scope> = Effect.gen(function* () {
  const servers = new Map<string, Server>()
  const page = Page.make()
  let waiting: Array<Socket> = []
  const wait = (socket: Socket): void => void waiting.push(socket)
  let pass = wait
  const passTo = (next: (socket: Socket) => void) => {
    pass = next
    const sockets = waiting
    waiting = []
    for (const socket of sockets) pass(socket)
  }
  const close = (key: string) => {
    servers.get(key)?.close()
    servers.delete(key)
  }
  const listen = (options: ListenOptions): Promise<Listening> =>
    new Promise((answer) => {
      const key = keyOf(options)
      const existing = servers.get(key)
      if (existing !== undefined) return answer({ address: existing.address() })
      // Nothing is read here: the bytes belong to the process that gets the connection.
      const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
        // A client may go away at any time.
        socket.on("error", () => {})
        pass(socket)
      })
      // Errors of a server that listens already, such as too many open files, pass.
      server.on("error", ({ code }: NodeJS.ErrnoException) => {
        // The app has moved to another host of the same port.
        const own = [...servers.keys()].find((key) => key.endsWith(` ${options.port}`))
        if (code !== "EADDRINUSE" || own === undefined) return answer({ code })
        close(own)
        answer(listen(options))
      })
      server.listen(options, () => {
        // The app has moved to another port. The connections of the old one stay.
        for (const other of servers.keys()) close(other)
        servers.set(key, server)
        answer({ address: server.address() })
      })
    })
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const key of servers.keys()) close(key)
      for (const socket of waiting) socket.destroy()
    })
  )
  return {
    hold: () => passTo(wait),
    listen,
    open: (take) =>
      passTo((socket) => {
        if (!take(socket)) wait(socket)
      }),
    refuse: (failure) =>
      Effect.promise(async () => {
        passTo((socket) => page(socket, failure))
        if (servers.size === 0 && failure.address !== undefined) await listen(failure.address)
      })
  }
})
