/** The first line of a request. Source: RFC 9112, section 3. */
import { type Refusal, refusals } from "../../Refusal.ts"
import { octets, PATH, QUERY, TOKEN } from "./Octets.ts"

/** `scan` needs more bytes. */
export const More = -1
/** `scan` refuses the line; `refusal` has the reason. */
export const Refused = -2

// "HTTP/", major, ".", minor, CR, LF; zero means a digit.
const ending = [0x48, 0x54, 0x54, 0x50, 0x2f, 0, 0x2e, 0, 0x0d, 0x0a]

/** Where the parts of a request line are, counted from its first octet. */
export class RequestLine {
  methodEnd = 0
  /** 0 or 1: HTTP/1.0 or HTTP/1.1. */
  minor = 1
  refusal: Refusal = refusals.Method
  targetEnd = 0

  /**
   * Reads the line at `start`, of at most `limit` octets with its CRLF. Returns the start
   * of the next line, `More` or `Refused`. The refusal depends only on the octets up to the
   * first that does not fit.
   */
  scan(buffer: Uint8Array, start: number, limit: number): number {
    const end = start + limit
    const stop = Math.min(buffer.length, end)
    let i = start
    while (i < stop && octets[buffer[i]!]! & TOKEN) i++
    if (i === stop) return this.#short(i === end)
    if (i === start || buffer[i] !== 0x20) return this.#refuse(refusals.Method)
    this.methodEnd = i - start

    const target = ++i
    let allowed = PATH
    for (; i < stop; i++) {
      const octet = buffer[i]!
      if ((octets[octet]! & allowed) === 0) break
      if (octet === 0x3f) allowed = QUERY
    }
    if (i === stop) return this.#short(i === end)
    if (i === target || buffer[i] !== 0x20) return this.#refuse(refusals.Target)
    this.targetEnd = i - start

    const version = ++i
    for (let j = 0; j < ending.length; j++, i++) {
      if (i === stop) return this.#short(i === end)
      const octet = buffer[i]!
      const expected = ending[j]!
      if (expected === 0 ? octet < 0x30 || octet > 0x39 : octet !== expected) {
        return this.#refuse(refusals.Version)
      }
    }
    this.minor = buffer[version + 7]! - 0x30
    if (buffer[version + 5] !== 0x31 || this.minor > 1) {
      return this.#refuse(refusals.VersionUnknown)
    }
    return i
  }

  #refuse(refusal: Refusal): number {
    this.refusal = refusal
    return Refused
  }

  #short(atLimit: boolean): number {
    return atLimit ? this.#refuse(refusals.RequestLineTooLong) : More
  }
}
