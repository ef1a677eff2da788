/** The limits of the connections of one channel. */
import * as Duration from "effect/Duration"
import type * as WebSocketUpgrade from "../../Server/Exchange/WebSocketUpgrade.ts"
import type { Settings } from "./WebSocketConfig.ts"

/** The limits that a channel may set, in place of those of the configuration. */
export interface LimitOptions {
  /** The most bytes of messages from a client in a second. */
  readonly bytesPerSecond?: number | undefined
  /** Whether messages are compressed if the client offers it. */
  readonly compression?: boolean | undefined
  /** How long a client may be silent, which answers pings. */
  readonly idleTimeout?: Duration.Input | undefined
  /** The most bytes that wait for a client to read them. */
  readonly maxBuffer?: number | undefined
  /** The longest message of a client, in bytes. */
  readonly maxSize?: number | undefined
  /** The most messages that wait for the handler before the client has to wait. */
  readonly maxWaiting?: number | undefined
  /** The most messages and pings of a client in a second. */
  readonly messagesPerSecond?: number | undefined
  /** How long a client may leave `maxBuffer` bytes unread. */
  readonly sendTimeout?: Duration.Input | undefined
}

/** The limits of a connection; times are in milliseconds. */
export interface Limits {
  readonly bytesPerSecond: number
  readonly closeTimeout: number
  readonly idleTimeout: number
  readonly maxBuffer: number
  readonly maxWaiting: number
  readonly messagesPerSecond: number
  readonly sendTimeout: number
  /** The limits that the listener holds. */
  readonly wire: WebSocketUpgrade.Options
}

/** zlib takes 2 ** (windowBits + 2) + 2 ** (memLevel + 9) bytes to compress. */
const compression = { level: 3, memLevel: 6, windowBits: 12 }

/** Returns the limits of a channel. */
export const make = (settings: Settings, options: LimitOptions): Limits => {
  const millis = (input: Duration.Input | undefined, fallback: Duration.Duration) =>
    Duration.toMillis(input === undefined ? fallback : Duration.fromInputUnsafe(input))
  const maxSize = options.maxSize ?? settings.maxSize
  const closeTimeout = Duration.toMillis(settings.closeTimeout)
  const idleTimeout = millis(options.idleTimeout, settings.idleTimeout)
  return {
    // A message of the allowed length has to pass.
    bytesPerSecond: Math.max(maxSize, options.bytesPerSecond ?? settings.bytesPerSecond),
    closeTimeout,
    idleTimeout,
    maxBuffer: options.maxBuffer ?? settings.maxBuffer,
    maxWaiting: options.maxWaiting ?? settings.maxWaiting,
    messagesPerSecond: options.messagesPerSecond ?? settings.messagesPerSecond,
    sendTimeout: millis(options.sendTimeout, settings.sendTimeout),
    wire: {
      closeTimeout,
      compression:
        (options.compression ?? settings.compression)
          ? { ...compression, threshold: settings.compressionThreshold }
          : undefined,
      idleTimeout,
      maxFragments: settings.maxFragments,
      maxMessage: maxSize
    }
  }
}

/** Counts what a client sends: it may send the messages and bytes of one second at once. */
export class Rate {
  #at: number
  #bytes: number
  readonly #limits: Limits
  #messages: number

  constructor(limits: Limits, now: number) {
    this.#at = now
    this.#bytes = limits.bytesPerSecond
    this.#limits = limits
    this.#messages = limits.messagesPerSecond
  }

  /** Counts a message. Returns false if it is one too many; `now` is in milliseconds. */
  take(bytes: number, now: number): boolean {
    const { bytesPerSecond, messagesPerSecond } = this.#limits
    const seconds = Math.max(0, now - this.#at) / 1000
    this.#at = now
    this.#bytes = Math.min(bytesPerSecond, this.#bytes + seconds * bytesPerSecond) - bytes
    this.#messages = Math.min(messagesPerSecond, this.#messages + seconds * messagesPerSecond) - 1
    return this.#bytes >= 0 && this.#messages >= 0
  }
}
