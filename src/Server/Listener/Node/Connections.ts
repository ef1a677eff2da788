/** The connections of a `node:http` server. */
import type * as Http from "node:http"
import type * as Net from "node:net"
import type * as Drain from "../Drain.ts"
import { Connection, type Limits } from "./Connection.ts"
import type { Reply } from "./Reply.ts"
import type { Tracked } from "./Tracked.ts"

/** The key of the connection in its socket. */
const key = Symbol("flange/Connection")

interface Keyed {
  [key]?: Connection
}

/** Returns the connection of a socket of the server. */
export const of = (socket: Keyed & Net.Socket): Connection => socket[key]!

/** Tracks the connections of a server. */
export class Connections {
  readonly #all = new Set<Tracked>()
  #isDraining = false
  readonly #limits: Limits & { readonly maxConnections: number }

  /** `maxConnections` is the number of connections above which further ones are refused. */
  constructor(limits: Limits & { readonly maxConnections: number }) {
    this.#limits = limits
  }

  /** The open connections. */
  get all(): ReadonlySet<Drain.Connection> {
    return this.#all
  }

  /** Whether no connection takes further requests after those on their way. */
  get isDraining(): boolean {
    return this.#isDraining
  }

  /** Whether a connection that was just added is one too many. */
  get isFull(): boolean {
    return this.#all.size > this.#limits.maxConnections
  }

  /** Adds a connection until its socket closes or `remove` is called. */
  add(connection: Tracked, socket: Net.Socket): void {
    this.#all.add(connection)
    socket.once("close", () => this.#all.delete(connection))
    // The refusals of a flood would take as much as its requests.
    if (this.#all.size > 2 * this.#limits.maxConnections) socket.destroy()
  }

  /** Adds a connection of HTTP/1.1. */
  addHttp1(socket: Keyed & Net.Socket): void {
    const connection = new Connection(socket, this.#limits)
    socket[key] = connection
    this.add(connection, socket)
  }

  /** Removes a connection that has become another one. */
  remove(connection: Tracked): void {
    this.#all.delete(connection)
  }

  /** Records a request of HTTP/1.1 and handles it, at once or when earlier ones have their replies. */
  begin(request: Http.IncomingMessage, reply: Reply, handle: () => void): void {
    if (this.#isDraining) reply.setHeader("connection", "close")
    of(request.socket).begin(request, reply, handle)
  }

  /** Ends the connections whose clients take too long. Call it at intervals. */
  tick(): void {
    const now = performance.now()
    for (const connection of this.#all) connection.tick(now)
  }

  /** Announces the end of every connection from now on, with its last reply or at once. */
  announceClose(): void {
    this.#isDraining = true
    for (const connection of this.#all) connection.announceClose()
  }
}
