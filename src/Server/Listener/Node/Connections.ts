/** The connections of a `node:http` server. */
import type * as Http from "node:http"
import type * as Net from "node:net"
import type * as Drain from "../Drain.ts"
import { Connection, type Limits } from "./Connection.ts"
import type { Reply } from "./Reply.ts"

/** The key of the connection in its socket. */
const key = Symbol("flange/Connection")

interface Keyed {
  [key]?: Connection
}

/** Returns the connection of a socket of the server. */
export const of = (socket: Keyed & Net.Socket): Connection => socket[key]!

/** Tracks the connections of a server. Create it before the server listens. */
export class Connections {
  readonly #all = new Set<Connection>()
  #isDraining = false

  constructor(server: Net.Server, limits: Limits) {
    server.on("connection", (socket: Keyed & Net.Socket) => {
      const connection = new Connection(socket, limits)
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
  begin(request: Http.IncomingMessage, reply: Reply, handle: () => void): void {
    if (this.#isDraining) reply.setHeader("connection", "close")
    of(request.socket).begin(request, reply, handle)
  }

  /** Ends the connections whose clients take too long. Call it at intervals. */
  tick(): void {
    const now = performance.now()
    for (const connection of this.#all) connection.tick(now)
  }

  /** Puts `Connection: close` on the last reply of every connection from now on. */
  announceClose(): void {
    this.#isDraining = true
    for (const { last } of this.#all) {
      if (last !== undefined && !last.headersSent) last.setHeader("connection", "close")
    }
  }
}
