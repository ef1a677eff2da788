/** The connections of a `node:http` server. */
import type * as Http from "node:http"
import type * as Net from "node:net"
import type { Tracked } from "../Tracked.ts"
import { Connection, type Limits } from "./Connection.ts"
import type { Reply } from "./Reply.ts"

/** The key of the connection in its socket. */
const key = Symbol("flange/Connection")

interface Keyed {
  [key]?: Tracked | undefined
}

/** Returns the connection of a socket of HTTP/1.1. */
// `addHttp1` has added it.
export const of = (socket: Keyed & Net.Socket): Connection => socket[key] as Connection

/** Tracks the connections of a server. */
export class Connections {
  /** The open connections. */
  readonly all = new Set<Tracked>()
  #isDraining = false
  readonly #limits: Limits & { readonly maxConnections: number }
  /** Hears of the end of a socket. One function for all, so that a connection does not need a closure. */
  readonly #onClose: (this: Keyed & Net.Socket) => void

  /** `maxConnections` is the number of connections above which further ones are refused. */
  constructor(limits: Limits & { readonly maxConnections: number }) {
    this.#limits = limits
    const { all } = this
    this.#onClose = function () {
      all.delete(this[key]!)
    }
  }

  /** Whether no connection takes further requests after those on their way. */
  get isDraining(): boolean {
    return this.#isDraining
  }

  /** Whether a connection that was just added is one too many. */
  get isFull(): boolean {
    return this.all.size > this.#limits.maxConnections
  }

  /** Adds a connection until its socket closes or `remove` is called. */
  add(connection: Tracked, socket: Keyed & Net.Socket): void {
    this.all.add(connection)
    // A connection that was pending has the listener.
    if (socket[key] === undefined) socket.on("close", this.#onClose)
    socket[key] = connection
    // The refusals of a flood would take as much as its requests.
    if (this.all.size > 2 * this.#limits.maxConnections) socket.destroy()
  }

  /** Adds a connection of HTTP/1.1. */
  addHttp1(socket: Net.Socket): void {
    this.add(new Connection(socket, this.#limits), socket)
    // `node:http` calls it after the last reply.
    socket.destroySoon = closeSoon
  }

  /** Removes a connection that has become another one. */
  remove(connection: Tracked): void {
    this.all.delete(connection)
  }

  /** Removes a connection of HTTP/1.1 that has become a WebSocket, which is tracked by itself. */
  release(socket: Keyed & Net.Socket): void {
    const connection = of(socket)
    this.remove(connection)
    connection.release()
    socket.off("close", this.#onClose)
    socket[key] = undefined
  }

  /** Records a request of HTTP/1.1 and handles it, at once or when earlier ones have their replies. */
  begin(request: Http.IncomingMessage, reply: Reply, handle: () => void): void {
    if (this.#isDraining) reply.setHeader("connection", "close")
    of(request.socket).begin(request, reply, handle)
  }

  /** Ends the connections whose clients take too long. Call it at intervals. */
  tick(): void {
    const now = performance.now()
    for (const connection of this.all) connection.tick(now)
  }

  /** Announces the end of every connection from now on, with its last reply or at once. */
  announceClose(): void {
    this.#isDraining = true
    for (const connection of this.all) connection.announceClose()
  }
}

function closeSoon(this: Net.Socket): void {
  of(this).close()
}
