/** A TCP proxy in front of a database, which can be cut, frozen and restored. */
import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export interface Proxy {
  /** Breaks every connection and takes no new one, like a server that was killed. */
  readonly cut: Effect.Effect<void>
  /** Keeps the connections and delivers nothing, like a network that fell silent. */
  readonly freeze: Effect.Effect<void>
  readonly restore: Effect.Effect<void>
  /** Answers no more on the next connection whose client sends the text. Others go on. */
  readonly stall: (text: string) => Effect.Effect<void>
  /** The database's URL through the proxy. */
  readonly url: string
}

const open = async (url: string) => {
  const { hostname, port: targetPort } = new URL(url)
  const proxied = new URL(url)
  const pairs = new Set<readonly [Socket, Socket]>()
  let frozen = false
  let stalling: string | undefined
  const join = (client: Socket) => {
    const server = connect(Number(targetPort), hostname)
    const pair = [client, server] as const
    pairs.add(pair)
    for (const [from, to] of [pair, [server, client] as const]) {
      from.on("error", () => {})
      from.on("close", () => {
        to.destroy()
        pairs.delete(pair)
      })
      from.pipe(to)
    }
    if (frozen) for (const socket of pair) socket.unpipe()
    client.on("data", (sent) => {
      if (stalling === undefined || !sent.includes(stalling)) return
      stalling = undefined
      pairs.delete(pair)
      server.unpipe()
    })
  }
  const listening = createServer(join).listen(0, "127.0.0.1")
  await once(listening, "listening")
  const { port } = listening.address() as AddressInfo
  proxied.host = `127.0.0.1:${port}`
  let up = true
  const cut = async () => {
    for (const [client, server] of pairs) {
      client.resetAndDestroy()
      server.destroy()
    }
    if (up) await new Promise((resolve) => listening.close(resolve))
    up = false
  }
  return {
    cut,
    freeze: async () => {
      frozen = true
      for (const pair of pairs) for (const socket of pair) socket.unpipe()
    },
    restore: async () => {
      frozen = false
      for (const [client, server] of pairs) {
        client.pipe(server)
        server.pipe(client)
      }
      if (up) return
      listening.listen(port, "127.0.0.1")
      await once(listening, "listening")
      up = true
    },
    stall: (text: string) => {
      stalling = text
    },
    url: proxied.href
  }
}

export const make = (url: string): Effect.Effect<Proxy, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(() => open(url)),
      ({ cut }) => Effect.promise(cut)
    ),
    ({ cut, freeze, restore, stall, url }) => ({
      cut: Effect.promise(cut),
      freeze: Effect.promise(freeze),
      restore: Effect.promise(restore),
      stall: (text) => Effect.sync(() => stall(text)),
      url
    })
  )
