/** The connections of a `node:http` server, and the replies that each has to send. */
import type * as Http from "node:http"
import type * as Net from "node:net"
import type * as Drain from "../Drain.ts"
import { WriteProgress } from "../WriteProgress.ts"

/** One connection. */
class Connection implements Drain.Connection {
  /** Whether no more requests are read until the waiting ones are handled. */
  #isHeld = false
  /** The last reply to send; undefined once it is sent. */
  last: Http.ServerResponse | undefined
  /** The replies that are not sent, in the order of their requests. */
  readonly owed = new Set<Http.ServerResponse>()
  /** The reply before `last`, if it was not sent when `last` began. */
  previous: Http.ServerResponse | undefined
  /**
   * The number of bytes read when the last reply ended. If more are read, a request is
   * arriving.
   */
  readAtIdle = 0
  /** The last request. */
  request: Http.IncomingMessage | undefined
  since = performance.now()
  readonly #socket: Net.Socket
  /** Requests that are not handled yet, because too many others have no sent reply. */
  readonly #waiting: Array<() => void> = []
  readonly writes: WriteProgress

  constructor(socket: Net.Socket) {
    this.#socket = socket
    this.writes = new WriteProgress(socket)
  }

  get isIdle(): boolean {
    return this.owed.size === 0 && this.#socket.bytesRead <= this.readAtIdle
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** Records that a reply is sent, or never will be. */
  replied(reply: Http.ServerResponse): void {
    if (this.last === reply) this.last = undefined
    this.owed.delete(reply)
    this.readAtIdle = this.#socket.bytesRead
    this.since = performance.now()
    if (this.#socket.destroyed) this.#waiting.length = 0
    this.#waiting.shift()?.()
    if (this.#isHeld && this.#waiting.length === 0) {
      this.#isHeld = false
      this.#socket.resume()
    }
  }

  /** Handles a request, or keeps it until fewer than `maxPipelined` others wait for their replies. */
  handle(request: () => void, maxPipelined: number): void {
    if (this.owed.size <= maxPipelined) return request()
    this.#waiting.push(request)
    this.#isHeld = true
    this.#socket.pause()
  }
}

/** The key of the connection in a socket and its replies. */
const key = Symbol("flange/Connection")

interface Keyed {
  [key]?: Connection
}

/** The private member from which Node's reply computes `closed`. */
interface ReplyInternals {
  _closed: boolean
}

/** One function for all replies, so that a request does not need a closure. */
function onReplyClose(this: Http.ServerResponse & Keyed): void {
  this[key]!.replied(this)
}

/** Tracks the connections of a server. Create it before the server listens. */
export class Connections {
  readonly #all = new Set<Connection>()
  #draining = false
  readonly #maxPipelined: number

  constructor(server: Http.Server, { maxPipelined }: { readonly maxPipelined: number }) {
    this.#maxPipelined = maxPipelined
    server.on("connection", (socket: Keyed & Net.Socket) => {
      const connection = new Connection(socket)
      socket[key] = connection
      this.#all.add(connection)
      socket.once("close", () => this.#all.delete(connection))
    })
  }

  /** The open connections. */
  get all(): ReadonlySet<Drain.Connection> {
    return this.#all
  }

  /** Records a request and handles it, at once or when earlier ones have their replies. */
  opened(
    request: Http.IncomingMessage,
    reply: Http.ServerResponse & Keyed,
    handle: () => void
  ): void {
    const connection = (request.socket as Keyed & Net.Socket)[key]!
    connection.previous = connection.last
    connection.last = reply
    connection.request = request
    connection.owed.add(reply)
    reply[key] = connection
    reply.on("close", onReplyClose)
    if (this.#draining) reply.setHeader("connection", "close")
    connection.handle(handle, this.#maxPipelined)
  }

  /**
   * Does for the owed replies of a connection what Node no longer does once it has handed the
   * connection over: it has removed its listeners.
   */
  handedOver(socket: Keyed & Net.Socket): void {
    const { owed } = socket[key]!
    // An error without a listener would end the process.
    socket.on("error", () => {})
    socket.on("drain", () => {
      const [first] = owed
      first?.emit("drain")
    })
    socket.on("close", () => {
      for (const reply of owed) {
        reply.destroyed = true
        ;(reply as unknown as ReplyInternals)._closed = true
        reply.emit("close")
      }
    })
  }

  /** Whether replies to earlier requests of a connection are not sent. */
  owes(socket: Keyed & Net.Socket): boolean {
    return socket[key]!.owed.size > 0
  }

  /** Destroys the connections whose clients have not read for `millis`. */
  destroyStalled(millis: number): void {
    const now = performance.now()
    for (const connection of this.#all) {
      if (connection.writes.isStalled(now, millis)) connection.destroy()
    }
  }

  /** Returns the request whose body is incomplete, with its reply if that is not sent. */
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

  /** Calls `next` once only the last reply is left to send. */
  awaitOthers(socket: Keyed & Net.Socket, next: () => void): void {
    const previous = socket[key]?.previous
    if (previous === undefined || previous.closed) next()
    else previous.once("close", next)
  }

  /** Calls `next` once no reply is left to send. */
  awaitReplies(socket: Keyed & Net.Socket, next: () => void): void {
    const last = socket[key]?.last
    if (last === undefined) next()
    else last.once("close", next)
  }

  /** Puts `Connection: close` on the last reply of every connection from now on. */
  announceClose(): void {
    this.#draining = true
    for (const { last } of this.#all) {
      if (last !== undefined && !last.headersSent) last.setHeader("connection", "close")
    }
  }
}
