import type * as Http from "node:http"
import * as Net from "node:net"
/** The connections of a `node:http` server, so that it can be drained without losing a request. */
import * as Effect from "effect/Effect"

/** What is known of one connection. */
interface Connection {
  /** The reply that is owed last, while it is. */
  last: Http.ServerResponse | undefined
  /** Requests that were read and not yet answered. */
  open: number
  /** The reply before `last`, which was owed when that began. */
  previous: Http.ServerResponse | undefined
  /** Bytes that had come when the last reply ended; more means that a request is arriving. */
  readAtIdle: number
  /** The request that came last. */
  request: Http.IncomingMessage | undefined
  /** Unix milliseconds since which nothing was open. */
  since: number
  readonly socket: Net.Socket
}

/** How long a draining server still reads from an idle connection: a request may be on its way. */
const lingerMillis = 300

/** Under which a socket and its replies keep their connection. */
const key = Symbol("flange/Connection")

interface Keyed {
  [key]?: Connection
}

/** One listener for all replies: it costs each request no closure. */
function onReplyClose(this: Http.ServerResponse & Keyed): void {
  const connection = this[key]!
  if (connection.last === this) connection.last = undefined
  connection.open--
  connection.readAtIdle = connection.socket.bytesRead
  connection.since = Date.now()
}

/** Watches the connections of a server from its creation on. */
export class Connections {
  readonly #connections = new Set<Connection>()
  #draining = false
  readonly #server: Http.Server

  constructor(server: Http.Server) {
    this.#server = server
    server.on("connection", (socket: Keyed & Net.Socket) => {
      const connection: Connection = {
        last: undefined,
        open: 0,
        previous: undefined,
        readAtIdle: 0,
        request: undefined,
        since: Date.now(),
        socket
      }
      socket[key] = connection
      this.#connections.add(connection)
      socket.once("close", () => this.#connections.delete(connection))
    })
  }

  /** To be told of every request, before it is answered. */
  opened(request: Http.IncomingMessage, reply: Http.ServerResponse & Keyed): void {
    const connection = (reply.socket as (Keyed & Net.Socket) | null)?.[key]
    if (connection === undefined) return
    connection.previous = connection.last
    connection.last = reply
    connection.request = request
    connection.open++
    reply[key] = connection
    reply.on("close", onReplyClose)
    if (this.#draining) reply.setHeader("connection", "close")
  }

  /** The request whose body did not come to its end, with the reply to it while that is owed. */
  reading(socket: Keyed & Net.Socket):
    | {
        readonly reply: Http.ServerResponse | undefined
        readonly request: Http.IncomingMessage
      }
    | undefined {
    const connection = socket[key]
    const request = connection?.request
    return request === undefined || request.complete
      ? undefined
      : { reply: connection?.last, request }
  }

  /** Calls `next` when the reply that is owed last is the only one. */
  afterOthers(socket: Keyed & Net.Socket, next: () => void): void {
    const previous = socket[key]?.previous
    if (previous === undefined || previous.closed) next()
    else previous.once("close", next)
  }

  /** Calls `next` when no reply is owed on a connection any more. */
  afterReplies(socket: Keyed & Net.Socket, next: () => void): void {
    const last = socket[key]?.last
    if (last === undefined) next()
    else last.once("close", next)
  }

  /** From now on the last reply that a connection is owed says `Connection: close`. */
  announceClose(): void {
    this.#draining = true
    for (const { last } of this.#connections) {
      if (last !== undefined && !last.headersSent) last.setHeader("connection", "close")
    }
  }

  /**
   * Stops listening. Unlike `server.close`, it does not cut connections that are
   * idle at this moment, on which a request may already be on its way.
   */
  stopAccepting(): void {
    Net.Server.prototype.close.call(this.#server)
    const now = Date.now()
    for (const connection of this.#connections) {
      connection.since = Math.max(connection.since, now)
    }
  }

  /** Waits until no connection is left, closing those that stay silent. */
  readonly empty: Effect.Effect<void> = Effect.callback((resume) => {
    const sweep = () => {
      const now = Date.now()
      for (const { open, readAtIdle, since, socket } of this.#connections) {
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
