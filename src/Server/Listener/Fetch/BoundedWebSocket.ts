/** A WebSocket of a runtime whose peer cannot fill the memory. */
import type { WebSocketEvent, WebSocketLike } from "effect/socket/Socket"

/** The most bytes of messages that wait for the handler, and of those that wait for the peer. */
export const maxWaiting = 1024 * 1024

/** The bytes that a message takes beside its own. */
const overhead = 64

/** The code of a connection that is closed for a policy of the server. Source: RFC 6455, section 7.4.1. */
const policyViolation = 1008

/** The events of a WebSocket. Those of pings and pongs come if the runtime shows them. */
export type EventName = "close" | "error" | "message" | "open" | "ping" | "pong"

/** What is called with an event. */
export type Listener = (event: WebSocketEvent) => void

/** A WebSocket of a runtime. */
export interface WebSocket extends WebSocketLike {
  addEventListener(type: EventName, listener: Listener, options?: { readonly once?: boolean }): void
  binaryType?: string
  readonly bufferedAmount: number
  /** Stops reading from the peer. Undefined if the runtime cannot, which then cannot resume either. */
  readonly pause?: () => void
  /** Sends a ping. Undefined if the runtime sends them by itself. */
  readonly ping?: () => void
  removeEventListener(type: EventName, listener: Listener): void
  readonly resume?: () => void
  /** Closes the connection at once, or forgets it if the runtime cannot close it. */
  readonly terminate: () => void
}

/**
 * Closes the connection of a peer that sends more than its handler reads, and drops what still comes. The
 * runtimes cannot pause a peer.
 */
export class BoundedWebSocket implements WebSocketLike {
  /** Messages that came before the handler listened. */
  #early: Array<WebSocketEvent> = []
  readonly #inner: WebSocket
  readonly #listeners = new Set<Listener>()
  #waiting = 0

  constructor(inner: WebSocket) {
    this.#inner = inner
    if ("binaryType" in inner) inner.binaryType = "arraybuffer"
    inner.addEventListener("message", (event) => this.#receive(event))
  }

  #receive(event: WebSocketEvent): void {
    if (this.#waiting > maxWaiting) return
    this.#waiting += overhead + sizeOf(event.data)
    if (this.#waiting > maxWaiting) {
      this.#early = []
      return this.close(policyViolation, "Too many messages wait for the handler")
    }
    if (this.#listeners.size === 0) this.#early.push(event)
    for (const listener of this.#listeners) listener(event)
  }

  /** Whether the peer has to read before more is written. */
  get isFull(): boolean {
    return this.readyState === 1 && this.#inner.bufferedAmount > maxWaiting
  }

  get readyState(): number {
    return this.#inner.readyState
  }

  /** Records that the handler has taken all messages. */
  taken(): void {
    if (this.#waiting <= maxWaiting) this.#waiting = 0
  }

  addEventListener(
    type: "close" | "error" | "message" | "open",
    listener: Listener,
    options?: { readonly once?: boolean }
  ): void {
    if (type !== "message") return this.#inner.addEventListener(type, listener, options)
    this.#listeners.add(listener)
    for (const event of this.#early.splice(0)) listener(event)
  }

  removeEventListener(type: "close" | "error" | "message" | "open", listener: Listener): void {
    if (type === "message") this.#listeners.delete(listener)
    else this.#inner.removeEventListener(type, listener)
  }

  close(code?: number, reason?: string): void {
    this.#inner.close(code, reason)
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    this.#inner.send(data)
  }
}

const sizeOf = (data: unknown): number =>
  typeof data === "string" ? data.length : (data as ArrayBuffer | Uint8Array).byteLength
