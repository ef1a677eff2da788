/**
 * The end of a connection: its client gets the last reply, also if it is still sending. Source:
 * RFC 9112, section 9.6.
 */
import type { Socket } from "node:net"

/** The most bytes of an unused body that are read and dropped to keep a connection open. */
export const maxDiscarded = 256 * 1024

/** The most bytes that are read and dropped after the last request. */
export const maxDropped = 16 * 1024 * 1024

/** The longest time between the last reply and the end of the connection, in milliseconds. */
export const maxMillis = 30_000

/** The longest silence of the client after the last reply, in milliseconds. */
export const maxSilence = 5000

/**
 * Ends one connection. If bytes of the client stayed unread, the kernel would reset the connection,
 * and a client that is sending would lose the reply.
 */
export class Linger {
  #dropped = 0
  #heard = 0
  #read = 0
  /** When the last reply was sent, as a reading of `performance.now()`; undefined before. */
  since: number | undefined
  readonly #socket: Socket

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /**
   * Drops bytes behind the last request. After `maxDropped` bytes it reads no more: the client has to
   * wait, and can still read its reply.
   */
  drop(bytes: Uint8Array): void {
    this.#dropped += bytes.length
    if (this.#dropped > maxDropped) this.#socket.pause()
  }

  /** Ends the own side of the connection after everything that was written. */
  end(): void {
    // The callback also runs if the connection fails.
    this.#socket.end(() => (this.#heard = this.since = performance.now()))
  }

  /**
   * Whether the connection has to be destroyed. Call it at intervals; `now` is a reading of
   * `performance.now()`.
   */
  isOver(now: number): boolean {
    if (this.since === undefined) return false
    const { bytesRead } = this.#socket
    if (bytesRead !== this.#read) this.#heard = now
    this.#read = bytesRead
    return now - this.since >= maxMillis || now - this.#heard >= maxSilence
  }
}
