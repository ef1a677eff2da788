import { connect, createServer, type Server, type Socket } from "node:net"
// A server that can be away: a TCP port before a real one, which closes and opens.
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export interface Proxy {
  /** Drops every connection and refuses new ones. */
  readonly down: Effect.Effect<void>
  readonly up: Effect.Effect<void>
  /** The URL with the port of the proxy. */
  readonly url: string
}

/** Opens a port in front of a server, which is silent for `silence` milliseconds at first. */
export const proxyTo = (url: string, silence = 0): Effect.Effect<Proxy, never, Scope.Scope> =>
  Effect.gen(function* () {
    const target = new URL(url)
    const port = Number(target.port || (target.protocol.startsWith("postgres") ? 5432 : 3306))
    const sockets = new Set<Socket>()
    let server: Server | undefined
    let own = 0

    const up = Effect.promise(
      () =>
        new Promise<void>((resolve) => {
          server = createServer((near) => {
            const far = connect({ host: target.hostname, port })
            for (const socket of [near, far]) {
              sockets.add(socket)
              socket.on("close", () => sockets.delete(socket))
              socket.on("error", () => {})
            }
            near.on("close", () => far.destroy())
            far.on("close", () => near.destroy())
            near.pipe(far)
            setTimeout(() => far.pipe(near), silence)
          })
          server.listen(own, "127.0.0.1", () => {
            const address = server?.address()
            if (typeof address === "object" && address !== null) own = address.port
            resolve()
          })
        })
    )
    const down = Effect.promise(
      () =>
        new Promise<void>((resolve) => {
          for (const socket of sockets) socket.destroy()
          if (server === undefined) return resolve()
          server.close(() => resolve())
          server = undefined
        })
    )
    yield* Effect.acquireRelease(up, () => down)
    const through = new URL(url)
    through.hostname = "127.0.0.1"
    through.port = String(own)
    return { down, up, url: through.href }
  })
