/** WebSockets on a connection of Node, by `ws`. */
import type * as Http from "node:http"
import type { Socket } from "node:net"
import * as NodeWS from "@effect/platform-node/NodeWS"
import type * as WebSocketUpgrade from "../Exchange/WebSocketUpgrade.ts"
import type { Tracked, Tracking } from "./Tracked.ts"
import { WriteProgress } from "./WriteProgress.ts"

/** The key of the header lines of a reply in its request. */
const lines = Symbol("flange/NodeWebSocket/lines")

interface Request extends Http.IncomingMessage {
  [lines]?: { readonly headers: ReadonlyArray<string>; readonly protocol: string | undefined }
}

const binary = { binary: true }

const text = { binary: false }

/** A WebSocket. It is its own peer and its own connection, so that an idle one takes no other object. */
class NodeWebSocket extends NodeWS.WebSocket implements Tracked, WebSocketUpgrade.Peer {
  #events: WebSocketUpgrade.Events | undefined
  #listener: Tracking | undefined
  #socket: Socket | undefined
  /** Undefined until a write has to wait. */
  #writes: WriteProgress | undefined

  /** Begins to tell `events` what happens. */
  begin(events: WebSocketUpgrade.Events, listener: Tracking, socket: Socket): void {
    this.#events = events
    this.#listener = listener
    this.#socket = socket
    listener.connections.add(this)
    events.onOpened(this)
  }

  // The members of its listener.

  get isEnded(): boolean {
    return false
  }

  get isIdle(): boolean {
    return false
  }

  get since(): number {
    return 0
  }

  /** The drain of its channel closes it. */
  announceClose(): void {}

  destroy(): void {
    this.terminate()
  }

  tick(now: number): void {
    this.#writes ??= WriteProgress.of(this.#socket!)
    if (this.#writes?.isStalled(now, this.#listener!.timeouts.writeTimeout) === true) this.destroy()
  }

  // The members of its handler.

  get buffered(): number {
    return this.bufferedAmount
  }

  get canPause(): boolean {
    return true
  }

  get canPing(): boolean {
    return true
  }

  override close(code?: number, reason?: Buffer | string): void {
    // A paused connection would not read the answer.
    if (this.isPaused) this.resume()
    super.close(code, reason)
  }

  override ping(): void {
    if (isOpen(this)) super.ping(undefined, undefined, ignore)
  }

  override pong(data: Uint8Array): void {
    if (isOpen(this)) super.pong(data, undefined, ignore)
  }

  override send(data: string | Uint8Array): void {
    // The last of several writes calls back when the peer has read all of them.
    const onSent = () => this.#events!.onDrain()
    super.send(data, typeof data === "string" ? text : binary, onSent)
  }

  /** Called by `ws`. Listeners would take memory for each connection. */
  override emit(event: string | symbol, ...values: ReadonlyArray<unknown>): boolean {
    switch (event) {
      case "close":
        this.#listener!.connections.delete(this)
        this.#events!.onClosed(values[0] as number, String(values[1]))
        return true
      case "error":
        // `ws` has sent a closing frame with the reason, and `close` follows.
        return true
      case "message": {
        // The type of binary messages is `nodebuffer`.
        const bytes = values[0] as Buffer
        this.#events!.onMessage(values[1] === true ? bytes : bytes.toString(), bytes.length)
        return true
      }
      case "ping":
        this.#events!.onPing(values[0] as Buffer)
        return true
      case "pong":
        this.#events!.onPong()
        return true
      default:
        return false
    }
  }
}

const isOpen = ({ OPEN, readyState }: NodeWS.WebSocket): boolean => readyState === OPEN

/** Receives the errors of writes: the closing of the connection follows. */
function ignore(): void {}

type Acceptor = NodeWS.Server<typeof NodeWebSocket, typeof Http.IncomingMessage>

const acceptors = new WeakMap<WebSocketUpgrade.Options, Acceptor>()

/** Returns the acceptor of connections with these limits. */
const acceptor = (options: WebSocketUpgrade.Options): Acceptor => {
  const made = acceptors.get(options)
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
    perMessageDeflate: compression === undefined ? false : deflate(compression),
    WebSocket: NodeWebSocket
  }
  const server: Acceptor = new NodeWS.WebSocketServer(own)
  server.on("headers", (head, request: Request) => {
    const { headers = [] } = request[lines] ?? {}
    for (let i = 0; i < headers.length; i += 2) head.push(`${headers[i]}: ${headers[i + 1]}`)
  })
  acceptors.set(options, server)
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

/** A connection whose client has offered an upgrade. */
export interface Offered {
  readonly listener: Tracking
  /** Ends its part in HTTP: its listener no longer tracks it. */
  readonly release: () => void
  readonly request: Http.IncomingMessage
  readonly rest: Buffer
  readonly socket: Socket
}

/** Accepts a handshake, if its connection is still there. */
export const accept = (
  { events, options, protocol }: WebSocketUpgrade.WebSocketUpgrade,
  headers: ReadonlyArray<string>,
  { listener, release, request, rest, socket }: Offered
): void => {
  if (socket.destroyed) return
  ;(request as Request)[lines] = { headers, protocol }
  acceptor(options).handleUpgrade(request, socket, rest, (websocket) => {
    release()
    websocket.begin(events, listener, socket)
  })
}
