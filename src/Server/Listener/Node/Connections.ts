/** The connections of a `node:http` server, and what each of them owes its client. */
import type * as Http from "node:http"
import type * as Net from "node:net"
import type * as Drain from "../Drain.ts"

/** One connection. */
class Connection implements Drain.Connection {
  /** The reply that is owed last, while it is. */
  last: Http.ServerResponse | undefined
  /** Requests that were read and not yet answered. */
  open = 0
  /** The reply before `last`, which was owed when that began. */
  previous: Http.ServerResponse | undefined
  /** Bytes that had come when the last reply ended; more means that a request is arriving. */
  readAtIdle = 0
  /** The request that came last. */
  request: Http.IncomingMessage | undefined
  since = performance.now()
  readonly #socket: Net.Socket

  constructor(socket: Net.Socket) {
    this.#socket = socket
  }

  get isIdle(): boolean {
    return this.open === 0 && this.#socket.bytesRead <= this.readAtIdle
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** A reply is out, or will never be. */
  replied(reply: Http.ServerResponse): void {
    if (this.last === reply) this.last = undefined
    this.open--
    this.readAtIdle = this.#socket.bytesRead
    this.since = performance.now()
  }
}

/** Under which a socket and its replies keep their connection. */
const key = Symbol("flange/Connection")

interface Keyed {
  [key]?: Connection
}

/** One listener for all replies: it costs each request no closure. */
function onReplyClose(this: Http.ServerResponse & Keyed): void {
  this[key]!.replied(this)
}

/** Watches the connections of a server from its creation on. */
export class Connections {
  readonly #all = new Set<Connection>()
  #draining = false

  constructor(server: Http.Server) {
    server.on("connection", (socket: Keyed & Net.Socket) => {
      const connection = new Connection(socket)
      socket[key] = connection
      this.#all.add(connection)
      socket.once("close", () => this.#all.delete(connection))
    })
  }

  /** Those that are open. */
  get all(): ReadonlySet<Drain.Connection> {
    return this.#all
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
    for (const { last } of this.#all) {
      if (last !== undefined && !last.headersSent) last.setHeader("connection", "close")
    }
  }
}
