/** WebSockets on a connection of Node, by `ws`. */
import type * as Http from "node:http"
import type { Duplex } from "node:stream"
import type * as NodeWS from "@effect/platform-node/NodeWS"
import type * as WebSocketUpgrade from "../Exchange/WebSocketUpgrade.ts"

type Module = typeof NodeWS

let loaded: Module | undefined

/** Loads `ws`, which an app without WebSockets does not need, and calls back. */
const load = (then: (module: Module) => void): void => {
  if (loaded !== undefined) return then(loaded)
  void import("@effect/platform-node/NodeWS").then((module) => {
    loaded = module
    then(module)
  })
}

/** The key of the header lines of a reply in its request. */
const lines = Symbol("flange/NodeWebSocket/lines")

/** The key of the events in their WebSocket. Its listeners are shared, so that one costs no closures. */
const key = Symbol("flange/NodeWebSocket")

interface Keyed extends NodeWS.WebSocket {
  [key]?: WebSocketUpgrade.Events
}

interface Request extends Http.IncomingMessage {
  [lines]?: { readonly headers: ReadonlyArray<string>; readonly protocol: string | undefined }
}

const servers = new WeakMap<WebSocketUpgrade.Options, NodeWS.WebSocketServer>()

/** Returns the acceptor of connections with these limits. */
const acceptor = (
  { WebSocketServer }: Module,
  options: WebSocketUpgrade.Options
): NodeWS.WebSocketServer => {
  const made = servers.get(options)
  if (made !== undefined) return made
  const { closeTimeout, compression, maxFragments, maxMessage } = options
  const own = {
    autoPong: false,
    clientTracking: false,
    // The types of `ws` lack some of these options.
    closeTimeout,
    handleProtocols: (_: unknown, request: Request) => request[lines]?.protocol ?? false,
    maxBufferedChunks: maxFragments,
    maxFragments,
    maxPayload: maxMessage,
    noServer: true,
    perMessageDeflate: compression === undefined ? false : deflate(compression)
  }
  const server = new WebSocketServer(own as NodeWS.ServerOptions)
  server.on("headers", (head, request: Request) => {
    const { headers = [] } = request[lines] ?? {}
    for (let i = 0; i < headers.length; i += 2) head.push(`${headers[i]}: ${headers[i + 1]}`)
  })
  servers.set(options, server)
  return server
}

/** Without context between messages, zlib's memory of a connection does not depend on what it has sent. */
const deflate = ({ level, memLevel, threshold, windowBits }: WebSocketUpgrade.Compression) => ({
  clientNoContextTakeover: true,
  concurrencyLimit: 10,
  serverMaxWindowBits: windowBits,
  serverNoContextTakeover: true,
  threshold,
  zlibDeflateOptions: { chunkSize: 4096, level, memLevel },
  zlibInflateOptions: { chunkSize: 4096 }
})

/** Accepts a handshake, if its connection is still there. */
export const accept = (
  { events, options, protocol }: WebSocketUpgrade.WebSocketUpgrade,
  headers: ReadonlyArray<string>,
  connection: {
    readonly request: Http.IncomingMessage
    readonly rest: Buffer
    readonly socket: Duplex
  }
): void => {
  load((module) => {
    const { rest, socket } = connection
    const request = connection.request as Request
    if (socket.destroyed) return
    request[lines] = { headers, protocol }
    acceptor(module, options).handleUpgrade(request, socket, rest, (websocket: Keyed) => {
      websocket[key] = events
      websocket.on("close", onClose).on("error", onError).on("message", onMessage)
      websocket.on("ping", onPing).on("pong", onPong)
      events.onOpened(new NodePeer(websocket))
    })
  })
}

const binary = { binary: true }

const text = { binary: false }

class NodePeer implements WebSocketUpgrade.Peer {
  // The last of several writes calls back when the peer has read all of them.
  readonly #onSent = () => this.#websocket[key]!.onDrain()
  readonly #websocket: Keyed

  constructor(websocket: Keyed) {
    this.#websocket = websocket
  }

  get buffered(): number {
    return this.#websocket.bufferedAmount
  }

  get canPause(): boolean {
    return true
  }

  get canPing(): boolean {
    return true
  }

  close(code: number, reason: string): void {
    // A paused connection would not read the answer.
    this.resume()
    this.#websocket.close(code, reason)
  }

  destroy(): void {
    this.#websocket.terminate()
  }

  pause(): void {
    this.#websocket.pause()
  }

  ping(): void {
    if (this.#isOpen) this.#websocket.ping(undefined, undefined, ignore)
  }

  pong(data: Uint8Array): void {
    if (this.#isOpen) this.#websocket.pong(data, undefined, ignore)
  }

  resume(): void {
    if (this.#websocket.isPaused) this.#websocket.resume()
  }

  send(data: string | Uint8Array): void {
    this.#websocket.send(data, typeof data === "string" ? text : binary, this.#onSent)
  }

  get #isOpen(): boolean {
    return this.#websocket.readyState === this.#websocket.OPEN
  }
}

/** Receives the errors of writes: the closing of the connection follows. */
function ignore(): void {}

function onClose(this: Keyed, code: number, reason: Buffer): void {
  this[key]!.onClosed(code, reason.toString())
}

// `ws` has sent a closing frame with the reason, and `close` follows.
function onError(this: Keyed): void {}

function onMessage(this: Keyed, data: NodeWS.RawData, isBinary: boolean): void {
  // The type of binary messages is `nodebuffer`.
  const bytes = data as Buffer
  this[key]!.onMessage(isBinary ? bytes : bytes.toString(), bytes.length)
}

function onPing(this: Keyed, data: Buffer): void {
  this[key]!.onPing(data)
}

function onPong(this: Keyed): void {
  this[key]!.onPong()
}
