/**
 * A WebSocket as the reply of a handler. The reply passes all middleware, and the listener upgrades
 * the connection when it sends the reply. The exchange ends there; the connection goes on.
 */
import * as HttpServerResponse from "effect/http/HttpServerResponse"

/** How messages are compressed. Each connection that compresses takes memory for its two windows. */
export interface Compression {
  /** The level of zlib, from 1 to 9. */
  readonly level: number
  /** The memory level of zlib, from 1 to 9. */
  readonly memLevel: number
  /** Shorter messages, in bytes, are not compressed. */
  readonly threshold: number
  /** The size of a window, as a power of 2 from 9 to 15. */
  readonly windowBits: number
}

/** The limits of a WebSocket. Use one object for all connections of a channel. */
export interface Options {
  /** How long the peer may take to answer a closing frame, in milliseconds. */
  readonly closeTimeout: number
  /** Undefined if messages are not compressed. */
  readonly compression: Compression | undefined
  /** How long the peer may be silent, in milliseconds. Used if the runtime sends pings by itself. */
  readonly idleTimeout: number
  /** The most frames of one message. */
  readonly maxFragments: number
  /** The longest message in bytes, as it is after decompression. */
  readonly maxMessage: number
}

/** An open WebSocket. */
export interface Peer {
  /** The bytes that were sent and that the peer has not read. */
  readonly buffered: number
  /** Whether the peer can be kept from sending. */
  readonly canPause: boolean
  /** Whether `ping` sends one. A runtime that does not pings by itself, and closes dead connections. */
  readonly canPing: boolean
  /** Sends a closing frame. The connection closes after the peer's answer, or without one in time. */
  readonly close: (code: number, reason: string) => void
  /** Closes the connection at once. */
  readonly destroy: () => void
  /** Stops reading from the peer. */
  readonly pause: () => void
  /** Sends a ping. A peer that lives answers it. */
  readonly ping: () => void
  /** Answers a ping. */
  readonly pong: (data: Uint8Array) => void
  readonly resume: () => void
  /** Sends a message. `onDrain` is called when the peer has read, if many bytes wait for it. */
  readonly send: (data: string | Uint8Array) => void
}

/** What a listener calls when something happens on a WebSocket. */
export interface Events {
  /** The connection is closed. 1006: without a closing frame. Called once, after `onOpened`. */
  readonly onClosed: (code: number, reason: string) => void
  /** The peer has read what waited for it. */
  readonly onDrain: () => void
  /** A message, a string if it is text, and its bytes. */
  readonly onMessage: (data: string | Uint8Array, size: number) => void
  readonly onOpened: (peer: Peer) => void
  /** A ping that the server has to answer. Some runtimes answer it themselves. */
  readonly onPing: (data: Uint8Array) => void
  readonly onPong: () => void
}

/** The status of the reply. */
export const status = 101

/** A handshake that the server accepts. */
export class WebSocketUpgrade {
  readonly events: Events
  readonly options: Options
  /** The subprotocol that the server has chosen; undefined if it has chosen none. */
  readonly protocol: string | undefined

  constructor(events: Events, options: Options, protocol: string | undefined) {
    this.events = events
    this.options = options
    this.protocol = protocol
  }
}

/** Returns the reply that upgrades the connection. */
export const toResponse = (upgrade: WebSocketUpgrade): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.raw(upgrade, { status })

/** Returns the upgrade of a reply; undefined if it is an ordinary reply. */
export const of = ({ body }: HttpServerResponse.HttpServerResponse): WebSocketUpgrade | undefined =>
  body._tag === "Raw" && body.body instanceof WebSocketUpgrade ? body.body : undefined
