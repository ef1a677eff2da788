/** Reads the body of a request into memory. */
import type { BodyFailure } from "../Exchange/Wire.ts"

/** How many pieces a body may have if they are smaller than `minPieceBytes` on average. */
const maxSmallPieces = 1000

/** The average size of pieces, in bytes, below which their number is limited. */
const minPieceBytes = 64

const nothing = new Uint8Array(0)

/** Collects the pieces of a body and calls back once with the whole, or with the failure. */
export class Collector {
  #done: ((body: BodyFailure | Uint8Array) => void) | undefined
  #length = 0
  readonly #limit: number
  #pieces = 0
  /** The first piece, then a buffer with room for more. */
  #whole: Uint8Array = nothing

  constructor(limit: number, done: (body: BodyFailure | Uint8Array) => void) {
    this.#done = done
    this.#limit = limit
  }

  /** Whether it has called back, and takes no more bytes. */
  get isFull(): boolean {
    return this.#done === undefined
  }

  data(bytes: Uint8Array): void {
    if (this.#done === undefined) return
    const at = this.#length
    this.#length += bytes.length
    this.#pieces++
    if (this.#length > this.#limit) return this.fail("TooLarge")
    // A piece costs a hundred times as much as a byte.
    if (this.#pieces > maxSmallPieces && this.#length < this.#pieces * minPieceBytes) {
      return this.fail("Fragmented")
    }
    if (at === 0) {
      this.#whole = bytes
      return
    }
    // Not `concat` at the end: each piece would keep the buffer that it was read into.
    if (this.#length > this.#whole.length || this.#pieces === 2) {
      const grown = new Uint8Array(Math.min(2 * this.#length, this.#limit))
      grown.set(this.#whole.subarray(0, at))
      this.#whole = grown
    }
    this.#whole.set(bytes, at)
  }

  end(): void {
    this.#give(this.#whole.subarray(0, this.#length))
  }

  fail(failure: BodyFailure): void {
    this.#give(failure)
  }

  #give(body: BodyFailure | Uint8Array): void {
    const done = this.#done
    this.#done = undefined
    this.#whole = nothing
    done?.(body)
  }
}
