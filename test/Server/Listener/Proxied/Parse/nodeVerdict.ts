/** What `node:http` makes of the bytes of a connection, without a socket. */
import * as Http from "node:http"
import { Duplex } from "node:stream"
import type { Read } from "./verdict.ts"

/** What became of a connection. */
export interface NodeVerdict {
  /** The parser's code where it refused the bytes. */
  readonly refused: string | undefined
  /** The requests whose body came whole. */
  readonly requests: ReadonlyArray<Omit<Read, "keepAlive">>
}

interface Exchange {
  readonly body: Array<Buffer>
  isComplete: boolean
  readonly request: Http.IncomingMessage
}

class Wire extends Duplex {
  readonly exchanges: Array<Exchange> = []
  output = ""
  refused: string | undefined

  override _read(): void {}

  override _write(bytes: Buffer, _: BufferEncoding, done: () => void): void {
    this.output += bytes.toString("latin1")
    done()
  }

  setTimeout(): this {
    return this
  }
}

const server = Http.createServer({ maxHeaderSize: 16 * 1024, requireHostHeader: false })
server.maxHeadersCount = 0

const wireOf = (request: Http.IncomingMessage): Wire => request.socket as unknown as Wire

const onRequest: Http.RequestListener = (request, reply) => {
  const exchange: Exchange = { body: [], isComplete: false, request }
  wireOf(request).exchanges.push(exchange)
  request.on("data", (bytes: Buffer) => exchange.body.push(bytes))
  request.on("end", () => {
    exchange.isComplete = true
    reply.end()
  })
  request.on("error", () => {})
}

server.on("request", onRequest)
server.on("connect", (request: Http.IncomingMessage, wire: Duplex) => {
  ;(request.socket as unknown as Wire).refused = "CONNECT"
  wire.destroy()
})
server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
  const wire = socket as unknown as Wire
  wire.refused ??= error.code ?? "unknown"
})

/** Gives the bytes to a `node:http` server, and waits until it is done with them. */
export const nodeVerdict = async (bytes: Buffer): Promise<NodeVerdict> => {
  const wire = new Wire()
  wire.on("error", () => {})
  server.emit("connection", wire)
  wire.push(bytes)
  // Bodies end, replies are written and the next request is read over a few turns of the loop.
  for (let quiet = 0, seen = ""; quiet < 3;) {
    await new Promise(setImmediate)
    const state = `${wire.exchanges.length} ${wire.output.length} ${wire.refused}`
    quiet = state === seen ? quiet + 1 : 0
    seen = state
  }
  wire.destroy()
  return {
    refused: wire.refused,
    requests: wire.exchanges
      .filter(({ isComplete }) => isComplete)
      .map(({ body, request }) => ({
        body: Buffer.concat(body).toString("latin1"),
        method: request.method!,
        rawHeaders: request.rawHeaders,
        target: request.url!
      }))
  }
}
