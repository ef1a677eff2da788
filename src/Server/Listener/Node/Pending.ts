/** A connection before it is known which protocol its client speaks. */
import type { Socket } from "node:net"
import type { Tracked } from "../Tracked.ts"

/** A connection in its TLS handshake, or before its first bytes. */
export class Pending implements Tracked {
  readonly isEnded = false
  readonly isIdle = true
  readonly #limit: number
  readonly since = performance.now()
  readonly #socket: Socket

  /** `limit` is the longest time in this state, in milliseconds. */
  constructor(socket: Socket, limit: number) {
    this.#limit = limit
    this.#socket = socket
  }

  announceClose(): void {}

  destroy(): void {
    this.#socket.destroy()
  }

  tick(now: number): void {
    if (now - this.since >= this.#limit) this.destroy()
  }
}
