/** Whether a client reads what was written to its connection. */
import type { Socket } from "node:net"

/** The part of a socket that Node's own timeout of sockets reads too; its type does not have it. */
interface WithHandle {
  readonly _handle?: { readonly writeQueueSize?: number } | null
}

/** Watches the writes of one connection. */
export class WriteProgress {
  #done = 0
  #queued = 0
  #since = 0
  readonly #socket: Socket

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /**
   * Whether bytes wait to be sent, and none were sent for `limit` milliseconds. Call it at
   * intervals; `now` is a reading of `performance.now()`.
   */
  isStalled(now: number, limit: number): boolean {
    const socket = this.#socket
    // A single write can be large: its rest becomes smaller before it is done.
    const queued = (socket as WithHandle)._handle?.writeQueueSize ?? 0
    // The writes of a session of HTTP/2 are not those of its socket.
    if (socket.writableLength === 0 && queued === 0) {
      this.#since = 0
      return false
    }
    const done = socket.bytesWritten - socket.writableLength
    const isFirst = this.#since === 0
    if (isFirst || done > this.#done || queued < this.#queued) this.#since = now
    this.#done = done
    this.#queued = queued
    return now - this.#since >= limit
  }
}
