/** Hands each connection to the protocol that its client speaks. */
import type * as Net from "node:net"
import type { TLSSocket } from "node:tls"
import type { Connections } from "./Connections.ts"
import { preface } from "./Http2/Http2Sessions.ts"
import { Pending } from "./Pending.ts"

/** What begins on a connection. */
export interface Protocols {
  readonly connections: Connections
  /** The longest time until it is known what a client speaks, in milliseconds. */
  readonly decideMillis: number
  /** Called after Node's own parser has taken the connection. */
  readonly http1: (socket: Net.Socket) => void
  /** Undefined for a server of HTTP/1.1 only. */
  readonly http2: ((socket: Net.Socket) => void) | undefined
}

/** The protocols that a TLS server offers, the preferred one first. */
export const offered = ["h2", "http/1.1"]

/** Hands over the connections of a server of `node:http` or `node:https`, which emits them as `event`. */
export const attach = (
  server: Net.Server,
  event: "connection" | "secureConnection",
  protocols: Protocols
): void => {
  const { http1, http2 } = protocols
  if (http2 === undefined) return void server.on(event, http1)
  // Node's own parser takes only the connections of HTTP/1.1.
  const own = server.listeners(event)
  server.removeAllListeners(event)
  const begin = {
    http1: (socket: Net.Socket) => {
      for (const listener of own) listener.call(server, socket)
      http1(socket)
    },
    http2
  }
  const by = event === "secureConnection" ? byHandshake : byPreface
  by(server, { ...protocols, ...begin })
}

interface Chosen extends Protocols {
  readonly http2: (socket: Net.Socket) => void
}

/** Begins the protocol that client and server have agreed on in the TLS handshake. */
const byHandshake = (server: Net.Server, protocols: Chosen): void => {
  const { connections, decideMillis, http1, http2 } = protocols
  // Both sockets of a connection have its addresses, and nothing else in common.
  const handshakes = new Map<string, Pending>()
  server.on("connection", (socket: Net.Socket) => {
    const pending = new Pending(socket, decideMillis)
    const ends = endsOf(socket)
    handshakes.set(ends, pending)
    connections.add(pending, socket)
    socket.once("close", () => {
      // The client may have begun the next connection from the same port.
      if (handshakes.get(ends) === pending) handshakes.delete(ends)
    })
  })
  server.on("secureConnection", (socket: TLSSocket) => {
    const pending = handshakes.get(endsOf(socket))
    if (pending !== undefined) connections.remove(pending)
    if (socket.alpnProtocol === "h2") http2(socket)
    else http1(socket)
  })
}

/** Returns both ends of a connection: a client may reach two addresses of the server from one port. */
const endsOf = ({ localAddress, remoteAddress, remotePort }: Net.Socket): string =>
  `${localAddress} ${remoteAddress} ${remotePort}`

/**
 * Begins the protocol that the first bytes of a client are of, on connections without TLS. One that is
 * refused is refused at once, in HTTP/1.1.
 */
const byPreface = (server: Net.Server, protocols: Chosen): void => {
  const { connections, decideMillis, http1, http2 } = protocols
  server.on("connection", (socket: Net.Socket) => {
    const pending = new Pending(socket, decideMillis)
    connections.add(pending, socket)
    if (connections.isFull) {
      connections.remove(pending)
      return http1(socket)
    }
    let read: Buffer = Buffer.alloc(0)
    const onError = () => socket.destroy()
    const onData = (bytes: Buffer) => {
      read = read.length === 0 ? bytes : Buffer.concat([read, bytes])
      const start = read.toString("latin1", 0, preface.length)
      if (start.length < preface.length && preface.startsWith(start)) return
      socket.off("data", onData).off("end", onError).off("error", onError).pause().unshift(read)
      connections.remove(pending)
      if (start === preface) return http2(socket)
      http1(socket)
      socket.resume()
    }
    socket.on("data", onData).on("end", onError).on("error", onError)
  })
}
