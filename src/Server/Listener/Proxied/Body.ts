/** The readers of a request's body on the proxied listener. */
import type { BodyFailure } from "../../Exchange/Wire.ts"
import { maxDiscarded } from "../Linger.ts"

/** Reads a body piece by piece. */
export interface Sink {
  /** Takes bytes. */
  readonly data: (bytes: Buffer) => void
  /** The body is complete. */
  readonly end: () => void
  /** The body will not be complete. */
  readonly fail: (failure: BodyFailure) => void
  /** Whether the connection has to wait before it passes more bytes. */
  readonly isFull: boolean
}

/** Reads an unused body to its end, so that the next request can be read. */
export class Discard implements Sink {
  readonly isFull = false
  #length = 0
  readonly #onTooLong: () => void

  constructor(onTooLong: () => void) {
    this.#onTooLong = onTooLong
  }

  data(bytes: Buffer): void {
    this.#length += bytes.length
    if (this.#length > maxDiscarded) this.#onTooLong()
  }

  end(): void {}

  fail(): void {}
}
