/** The readers of a request's body. */
import type { BodyFailure } from "../../Exchange/Wire.ts"

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

const nothing = new Uint8Array(0)

/** Reads a body into memory and calls back with the whole. */
export class Collector implements Sink {
  #chunks: Array<Buffer> | undefined
  #done: ((body: BodyFailure | Uint8Array) => void) | undefined
  #first: Buffer | undefined
  #length = 0
  readonly #limit: number

  constructor(limit: number, done: (body: BodyFailure | Uint8Array) => void) {
    this.#done = done
    this.#limit = limit
  }

  get isFull(): boolean {
    return this.#done === undefined
  }

  data(bytes: Buffer): void {
    this.#length += bytes.length
    if (this.#length > this.#limit) return this.fail("TooLarge")
    if (this.#first === undefined) this.#first = bytes
    else (this.#chunks ??= [this.#first]).push(bytes)
  }

  end(): void {
    this.#give(
      this.#chunks === undefined
        ? (this.#first ?? nothing)
        : Buffer.concat(this.#chunks, this.#length)
    )
  }

  fail(failure: BodyFailure): void {
    this.#give(failure)
  }

  #give(body: BodyFailure | Uint8Array): void {
    const done = this.#done
    this.#done = undefined
    this.#chunks = this.#first = undefined
    done?.(body)
  }
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

/** The most bytes of an unused body that are read to keep a connection open. */
export const maxDiscarded = 256 * 1024
