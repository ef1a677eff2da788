/** A WebSocket of `Bun.serve`, whose events come to the server, as a WebSocket of the web. */
import type { WebSocketEvent } from "effect/socket/Socket"
import type { EventName, Listener, WebSocket } from "./BoundedWebSocket.ts"

/** The parts of a WebSocket of Bun that are used here. */
interface Native {
  readonly close: (code?: number, reason?: string) => void
  readonly data: BunSocket
  readonly getBufferedAmount: () => number
  readonly pause: () => void
  readonly ping: () => number
  readonly readyState: number
  readonly resume: () => void
  readonly send: (data: string | Uint8Array) => number
  readonly terminate: () => void
}

/** The most bytes that wait for a peer that does not read, before Bun closes the connection. */
const maxBuffered = 16 * 1024 * 1024

/** One WebSocket. */
export class BunSocket implements WebSocket {
  readonly #listeners = new Map<EventName, Set<Listener>>()
  #native: Native | undefined
  /** Messages that came before a listener did. */
  readonly #early: Array<WebSocketEvent> = []

  /** Returns the handlers of the server, for messages of at most `maxMessage` bytes. */
  static readonly handlers = (maxMessage: number) => ({
    backpressureLimit: maxBuffered,
    close: ({ data }: Native, code: number, reason: string) =>
      data.#emit("close", { code, reason, type: "close" }),
    closeOnBackpressureLimit: true,
    maxPayloadLength: maxMessage,
    message: ({ data }: Native, message: string | Uint8Array) =>
      data.#emit("message", { data: message, type: "message" }),
    open: (native: Native) => {
      native.data.#native = native
      native.data.#emit("open", { type: "open" })
    },
    // Bun answers the pings.
    ping: ({ data }: Native, bytes: Uint8Array) =>
      data.#emit("ping", { data: bytes, type: "ping" }),
    pong: ({ data }: Native) => data.#emit("pong", { type: "pong" })
  })

  get bufferedAmount(): number {
    return this.#native?.getBufferedAmount() ?? 0
  }

  get readyState(): number {
    return this.#native?.readyState ?? 0
  }

  addEventListener(type: EventName, listener: Listener): void {
    const all = this.#listeners.get(type) ?? new Set()
    this.#listeners.set(type, all.add(listener))
    if (type === "message") for (const event of this.#early.splice(0)) listener(event)
  }

  removeEventListener(type: EventName, listener: Listener): void {
    this.#listeners.get(type)?.delete(listener)
  }

  close(code?: number, reason?: string): void {
    this.#native?.close(code, reason)
  }

  pause(): void {
    this.#native?.pause()
  }

  ping(): void {
    this.#native?.ping()
  }

  resume(): void {
    this.#native?.resume()
  }

  send(data: string | Uint8Array): void {
    this.#native?.send(data)
  }

  terminate(): void {
    this.#native?.terminate()
  }

  #emit(type: EventName, event: WebSocketEvent): void {
    const listeners = this.#listeners.get(type)
    if (listeners === undefined || listeners.size === 0) {
      if (type === "message") this.#early.push(event)
      return
    }
    for (const listener of listeners) listener(event)
  }
}
