/** WebSockets of a runtime that serves `Request` and `Response` itself. */
import type * as WebSocketUpgrade from "../../Exchange/WebSocketUpgrade.ts"
import type { WebSocket } from "./BoundedWebSocket.ts"

/** The interval at which a sender looks whether its peer has read, in milliseconds. */
const pollMillis = 20

/** The codes of RFC 6455, section 7.4.1. */
const codes = { abnormal: 1006, tooBig: 1009 }

/** Tells `events` what happens on the WebSocket of a runtime. */
export const attach = (
  { events, options }: WebSocketUpgrade.WebSocketUpgrade,
  socket: WebSocket
): void => {
  if ("binaryType" in socket) socket.binaryType = "arraybuffer"
  const peer = new FetchPeer(socket, options.closeTimeout, () => events.onDrain())
  let isClosed = false
  socket.addEventListener("close", ({ code, reason = "" }) => {
    if (isClosed) return
    isClosed = true
    // Deno has 0 for a connection without a closing frame.
    events.onClosed(code || codes.abnormal, reason)
  })
  socket.addEventListener("error", () => {})
  socket.addEventListener("message", ({ data }) => {
    if (isClosed) return
    const message = typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer)
    // The limit of the runtime is one for all its connections.
    const length = typeof message === "string" ? Buffer.byteLength(message) : message.length
    if (length > options.maxMessage) return peer.close(codes.tooBig, "The message is too long")
    events.onMessage(message, length)
  })
  socket.addEventListener("ping", ({ data }) => events.onPing(data as Uint8Array))
  socket.addEventListener("pong", () => events.onPong())
  const opened = () => events.onOpened(peer)
  if (socket.readyState === 1) opened()
  else socket.addEventListener("open", opened, { once: true })
}

/** The runtime answers the pings of its peer. */
class FetchPeer implements WebSocketUpgrade.Peer {
  readonly #closeTimeout: number
  #isPolling = false
  readonly #onDrain: () => void
  readonly #socket: WebSocket

  constructor(socket: WebSocket, closeTimeout: number, onDrain: () => void) {
    this.#closeTimeout = closeTimeout
    this.#onDrain = onDrain
    this.#socket = socket
  }

  get buffered(): number {
    return this.#socket.bufferedAmount
  }

  get canPause(): boolean {
    return this.#socket.pause !== undefined
  }

  get canPing(): boolean {
    return this.#socket.ping !== undefined
  }

  close(code: number, reason: string): void {
    // A paused connection would not read the answer.
    this.resume()
    this.#socket.close(code, reason)
    const timer = setTimeout(() => this.destroy(), this.#closeTimeout)
    this.#socket.addEventListener("close", () => clearTimeout(timer), { once: true })
  }

  destroy(): void {
    this.#socket.terminate()
  }

  pause(): void {
    this.#socket.pause?.()
  }

  ping(): void {
    this.#socket.ping?.()
  }

  pong(): void {}

  resume(): void {
    this.#socket.resume?.()
  }

  send(data: string | Uint8Array): void {
    // The bytes are not shared with other threads.
    this.#socket.send(data as string | Uint8Array<ArrayBuffer>)
    if (this.buffered === 0 || this.#isPolling) return
    this.#isPolling = true
    const poll = () => {
      if (this.#socket.readyState === 1 && this.buffered > 0) {
        this.#onDrain()
        setTimeout(poll, pollMillis)
      } else {
        this.#isPolling = false
        this.#onDrain()
      }
    }
    setTimeout(poll, pollMillis)
  }
}
