import type * as Http from "node:http"
import * as Net from "node:net"
/** The connections of a `node:http` server, so that it can be drained without losing a request. */
import * as Effect from "effect/Effect"

interface Connection {
  /** The reply that is owed last, while it is. */
  last: Http.ServerResponse | undefined
  /** Requests that were read and not yet answered. */
  open: number
  /** Bytes that had come when the last reply ended; more means that a request is arriving. */
  readAtIdle: number
  /** Unix milliseconds since which nothing was open. */
  since: number
}

/** How long a draining server still reads from an idle connection: a request may be on its way. */
const lingerMillis = 300

/** Watches the connections of a server from its creation on. */
export class Connections {
  readonly #connections = new Map<Net.Socket, Connection>()
  #draining = false
  readonly #replies = new Set<Http.ServerResponse>()
  readonly #server: Http.Server

  constructor(server: Http.Server) {
    this.#server = server
    server.on("connection", (socket: Net.Socket) => {
      this.#connections.set(socket, {
        last: undefined,
        open: 0,
        readAtIdle: 0,
        since: Date.now()
      })
      socket.once("close", () => this.#connections.delete(socket))
    })
    server.on("request", (_request, reply) => this.#watch(reply))
  }

  #watch(reply: Http.ServerResponse): void {
    const { socket } = reply
    const connection = socket === null ? undefined : this.#connections.get(socket)
    if (connection === undefined || socket === null) return
    connection.last = reply
    connection.open++
    this.#replies.add(reply)
    if (this.#draining) reply.setHeader("connection", "close")
    reply.once("close", () => {
      if (connection.last === reply) connection.last = undefined
      this.#replies.delete(reply)
      connection.open--
      connection.readAtIdle = socket.bytesRead
      connection.since = Date.now()
    })
  }

  /** Calls `next` when no reply is owed on a connection any more. */
  afterReplies(socket: Net.Socket, next: () => void): void {
    const last = this.#connections.get(socket)?.last
    if (last === undefined) next()
    else last.once("close", next)
  }

  /** From now on every reply says `Connection: close`. */
  announceClose(): void {
    this.#draining = true
    for (const reply of this.#replies) {
      if (!reply.headersSent) reply.setHeader("connection", "close")
    }
  }

  /**
   * Stops listening. Unlike `server.close`, it does not cut connections that are
   * idle at this moment, on which a request may already be on its way.
   */
  stopAccepting(): void {
    Net.Server.prototype.close.call(this.#server)
    const now = Date.now()
    for (const connection of this.#connections.values()) {
      connection.since = Math.max(connection.since, now)
    }
  }

  /** Waits until no connection is left, closing those that stay silent. */
  readonly empty: Effect.Effect<void> = Effect.callback((resume) => {
    const sweep = () => {
      const now = Date.now()
      for (const [socket, { open, readAtIdle, since }] of this.#connections) {
        const arriving = socket.bytesRead > readAtIdle
        if (open === 0 && !arriving && now - since >= lingerMillis) socket.destroy()
      }
      if (this.#connections.size === 0) {
        clearInterval(timer)
        resume(Effect.void)
      }
    }
    const timer = setInterval(sweep, 20)
    sweep()
    return Effect.sync(() => clearInterval(timer))
  })
}
