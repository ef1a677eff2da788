/** A section of field lines: the header of a request, or the trailers of a chunked body. */
import { type Refusal, refusals } from "../../Refusal.ts"
import { FIELD, octets, TOKEN } from "./Octets.ts"
import { More, Refused } from "./RequestLine.ts"

/** How much of a request the parser reads before it refuses it. */
export interface Limits {
  /** Longest head, and longest section of trailers, in bytes. */
  readonly maxHeaderBytes: number
  /** Most fields in a head, and most trailers. */
  readonly maxHeaders: number
  /** Longest request line and longest field line, in bytes with CRLF. */
  readonly maxLineBytes: number
}

/**
 * Reads field lines and keeps the complete ones. A section may come in any number of
 * pieces, and the result does not depend on where they were cut.
 * Source: RFC 9112, section 5.
 */
export class FieldSection {
  /** For each field, where name and value start and end, counted from the section's origin. */
  index: Array<number> = []
  readonly #limits: Limits
  /** Where the next line starts, counted from the origin. */
  #line = 0
  refusal: Refusal = refusals.FieldName

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** Starts a section whose first line is `line` octets after its origin. */
  begin(line: number): void {
    this.index = []
    this.#line = line
  }

  /**
   * Reads up to the end of the empty line. `origin` is the section's origin in `buffer`.
   * Returns the end of the section, `More` or `Refused`.
   */
  scan(buffer: Uint8Array, origin: number): number {
    const { maxHeaderBytes, maxHeaders, maxLineBytes } = this.#limits
    const { index } = this
    let i = origin + this.#line
    for (;;) {
      const end = Math.min(i + maxLineBytes, origin + maxHeaderBytes)
      const stop = Math.min(buffer.length, end)
      if (i >= stop) return this.#short(i >= end)
      if (buffer[i] === 0x0d) {
        if (++i === stop) return this.#short(i === end)
        return buffer[i] === 0x0a ? i + 1 : this.#refuse(refusals.FieldName)
      }

      const name = i
      while (i < stop && octets[buffer[i]!]! & TOKEN) i++
      if (i === stop) return this.#short(i === end)
      if (i === name || buffer[i] !== 0x3a) return this.#refuse(refusals.FieldName)
      const nameEnd = i++

      while (i < stop && (buffer[i] === 0x20 || buffer[i] === 0x09)) i++
      const value = i
      while (i < stop && octets[buffer[i]!]! & FIELD) i++
      if (i === stop) return this.#short(i === end)
      if (buffer[i] !== 0x0d) return this.#refuse(refusals.FieldValue)
      let valueEnd = i
      while (valueEnd > value && (buffer[valueEnd - 1] === 0x20 || buffer[valueEnd - 1] === 0x09)) {
        valueEnd--
      }
      if (++i === stop) return this.#short(i === end)
      if (buffer[i] !== 0x0a) return this.#refuse(refusals.FieldValue)
      i++

      if (index.length === maxHeaders * 4) return this.#refuse(refusals.TooManyFields)
      index.push(name - origin, nameEnd - origin, value - origin, valueEnd - origin)
      this.#line = i - origin
    }
  }

  #refuse(refusal: Refusal): number {
    this.refusal = refusal
    return Refused
  }

  #short(atLimit: boolean): number {
    return atLimit ? this.#refuse(refusals.FieldsTooLarge) : More
  }
}
