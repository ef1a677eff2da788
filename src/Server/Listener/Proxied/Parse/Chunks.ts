/** The chunks of a body. Source: RFC 9112, section 7.1. */
import { maxExtensionBytes, type Refusal, refusals } from "../../Refusal.ts"
import { FieldSection, type Limits } from "./FieldSection.ts"
import { FIELD, hexadecimal, octets, QUOTED, TOKEN } from "./Octets.ts"
import { More, Refused } from "./RequestLine.ts"

/**
 * Finds the data of chunks. Extensions and trailers must be well-formed, and are dropped.
 * White space around extensions, which the grammar only tolerates, is refused.
 */
export class Chunks {
  /** Octets of extensions in this body, of complete lines. */
  #extensions = 0
  isComplete = false
  /** After `read`, the position of the next octet to read. */
  position = 0
  refusal: Refusal = refusals.ChunkSize
  /** Octets of the chunk that are still to come. */
  #remaining = 0
  #state: "data" | "end" | "size" | "trailers" = "size"
  readonly #trailers: FieldSection

  constructor(limits: Limits) {
    this.#trailers = new FieldSection(limits)
  }

  /** Starts a body. */
  begin(): void {
    this.#extensions = 0
    this.isComplete = false
    this.#state = "size"
  }

  /**
   * Reads from `at`. Returns the number of octets of data at `position`, or `More` or
   * `Refused`. The owner must take all of the data.
   */
  read(buffer: Buffer, at: number): number {
    this.position = at
    for (;;) {
      switch (this.#state) {
        case "data": {
          const length = Math.min(buffer.length - this.position, this.#remaining)
          if (length === 0) return More
          this.#remaining -= length
          if (this.#remaining === 0) this.#state = "end"
          return length
        }
        case "end": {
          const available = buffer.length - this.position
          if (available > 0 && buffer[this.position] !== 0x0d)
            return this.#refuse(refusals.ChunkData)
          if (available < 2) return More
          if (buffer[this.position + 1] !== 0x0a) return this.#refuse(refusals.ChunkData)
          this.position += 2
          this.#state = "size"
          break
        }
        case "size": {
          const end = this.#size(buffer, this.position)
          if (end < 0) return end
          this.position = end
          if (this.#remaining > 0) this.#state = "data"
          else {
            this.#trailers.begin(0)
            this.#state = "trailers"
          }
          break
        }
        case "trailers": {
          const end = this.#trailers.scan(buffer, this.position)
          if (end === Refused) return this.#refuse(this.#trailers.refusal)
          if (end === More) return More
          if (this.#framesAgain(buffer)) return this.#refuse(refusals.Trailer)
          this.position = end
          this.isComplete = true
          return More
        }
      }
    }
  }

  /** Reads a line of size and extensions. */
  #size(buffer: Uint8Array, start: number): number {
    const stop = buffer.length
    let i = start
    let size = 0
    for (; i < stop; i++) {
      const digit = hexadecimal[buffer[i]!]!
      if (digit < 0) break
      if (i - start === 16) return this.#refuse(refusals.ChunkSize)
      size = size * 16 + digit
    }
    if (size > Number.MAX_SAFE_INTEGER) return this.#refuse(refusals.ChunkSize)
    if (i === stop) return More
    if (i === start) return this.#refuse(refusals.ChunkSize)
    const extensions = i
    if (buffer[i] === 0x3b) {
      i = this.#skipExtensions(buffer, i)
      if (i < 0) return i
    }
    if (buffer[i] !== 0x0d) {
      return this.#refuse(i === extensions ? refusals.ChunkSize : refusals.ChunkExtension)
    }
    if (i + 1 === stop) return More
    if (buffer[i + 1] !== 0x0a) return this.#refuse(refusals.ChunkSize)
    this.#extensions += i - extensions
    this.#remaining = size
    return i + 2
  }

  /** Returns where the extensions that start at `start` end, `More` or `Refused`. */
  #skipExtensions(buffer: Uint8Array, start: number): number {
    const end = start + maxExtensionBytes - this.#extensions
    const stop = Math.min(buffer.length, end)
    const short = () => (stop === end ? this.#refuse(refusals.ChunkExtensionsTooLong) : More)
    let i = start
    while (i < stop && buffer[i] === 0x3b) {
      const name = ++i
      while (i < stop && octets[buffer[i]!]! & TOKEN) i++
      if (i === stop) return short()
      if (i === name) return this.#refuse(refusals.ChunkExtension)
      if (buffer[i] !== 0x3d) continue
      const value = ++i
      if (i < stop && buffer[i] === 0x22) {
        for (i++; i < stop && buffer[i] !== 0x22; i++) {
          const octet = buffer[i]!
          if (octets[octet]! & QUOTED) continue
          if (octet !== 0x5c) return this.#refuse(refusals.ChunkExtension)
          if (++i === stop) return short()
          if ((octets[buffer[i]!]! & FIELD) === 0) return this.#refuse(refusals.ChunkExtension)
        }
        if (i === stop) return short()
        i++
      } else {
        while (i < stop && octets[buffer[i]!]! & TOKEN) i++
        if (i === stop) return short()
        if (i === value) return this.#refuse(refusals.ChunkExtension)
      }
    }
    return i === stop ? short() : i
  }

  /** Whether a trailer is a field that decides where the body ends. */
  #framesAgain(buffer: Buffer): boolean {
    const { index } = this.#trailers
    for (let i = 0; i < index.length; i += 4) {
      const name = buffer.toString(
        "latin1",
        this.position + index[i]!,
        this.position + index[i + 1]!
      )
      if (/^(?:content-length|transfer-encoding)$/i.test(name)) return true
    }
    return false
  }

  #refuse(refusal: Refusal): number {
    this.refusal = refusal
    return Refused
  }
}
