/** Whether a client reads what was written to its connection. */
import type { Socket } from "node:net"

/** The part of a socket that Node's own timeout of sockets reads too; its type does not have it. */
interface WithHandle {
  readonly _handle?: { readonly writeQueueSize?: number } | null
}

/** How many bytes of the last writes the handle has not sent. */
const queuedOf = (socket: WithHandle): number => socket._handle?.writeQueueSize ?? 0

/** Whether bytes wait to be sent. The writes of a session of HTTP/2 are not those of its socket. */
export const isWaiting = (socket: Socket & WithHandle): boolean =>
  socket.writableLength > 0 || queuedOf(socket) > 0

/** Watches the writes of one connection. */
export class WriteProgress {
  #done = 0
  #before = 0
  #since = 0
  readonly #socket: Socket & WithHandle

  constructor(socket: Socket & WithHandle) {
    this.#socket = socket
  }

  /** Watches a connection if bytes wait to be sent on it: most are idle, and need no watch. */
  static of(socket: Socket): WriteProgress | undefined {
    return isWaiting(socket) ? new WriteProgress(socket) : undefined
  }

  /**
   * Whether bytes wait to be sent, and none were sent for `limit` milliseconds. Call it at
   * intervals; `now` is a reading of `performance.now()`.
   */
  isStalled(now: number, limit: number): boolean {
    const socket = this.#socket
    if (!isWaiting(socket)) {
      this.#since = 0
      return false
    }
    const done = socket.bytesWritten - socket.writableLength
    // A single write can be large: its rest becomes smaller before it is done.
    const queued = queuedOf(socket)
    const isFirst = this.#since === 0
    if (isFirst || done > this.#done || queued < this.#before) this.#since = now
    this.#done = done
    this.#before = queued
    return now - this.#since >= limit
  }
}
