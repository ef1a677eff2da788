/** The head of a request, and the meaning of its well-formed lines. */
import * as Semantics from "../../../Exchange/Semantics.ts"
import * as HeadRules from "../../HeadRules.ts"
import { type Refusal, refusals } from "../../Refusal.ts"
import { isAt, octets, TOKEN } from "./Octets.ts"

/** Where the parts of a head are in its text. */
export interface HeadText {
  /** For each field, where name and value start and end. */
  readonly index: ReadonlyArray<number>
  readonly methodEnd: number
  readonly minor: number
  readonly targetEnd: number
  readonly text: string
}

/** The head of a request. Most fields are looked up only if code reads them. */
export class Head {
  chunked = false
  /** 0 if the request has none. */
  contentLength = 0
  /** Whether the client waits for `100 Continue` before it sends the body. */
  expectsContinue = false
  readonly #index: ReadonlyArray<number>
  /** Whether the client keeps the connection for more requests. */
  keepAlive: boolean
  readonly method: string
  /** 0 or 1: HTTP/1.0 or HTTP/1.1. */
  readonly minor: number
  /** Path and query, or `*`. */
  target: string
  readonly #text: string
  /** Whether the client offers to speak another protocol. */
  upgrade = false

  constructor({ index, methodEnd, minor, targetEnd, text }: HeadText) {
    this.#index = index
    this.#text = text
    this.keepAlive = minor === 1
    this.method = methodOf(text, methodEnd)
    this.minor = minor
    this.target = text.slice(methodEnd + 1, targetEnd)
  }

  get hasBody(): boolean {
    return this.chunked || this.contentLength > 0
  }

  /**
   * Returns the value of a field by its lower-case name. Several lines are joined with
   * `, `, those of `cookie` with `; `.
   */
  header(name: string): string | undefined {
    const index = this.#index
    const text = this.#text
    let found: string | undefined
    for (let i = 0; i < index.length; i += 4) {
      if (index[i + 1]! - index[i]! !== name.length || !isAt(text, index[i]!, name)) continue
      const value = text.slice(index[i + 2], index[i + 3])
      found = Semantics.joined(name, found, value)
    }
    return found
  }

  /** Returns names and values in turn, as they were sent. */
  rawHeaders(): Array<string> {
    const raw: Array<string> = []
    for (let i = 0; i < this.#index.length; i += 2) {
      raw.push(this.#text.slice(this.#index[i], this.#index[i + 1]))
    }
    return raw
  }

  /** Returns names and values in pairs, as they were sent. */
  *entries(): Generator<readonly [string, string]> {
    const raw = this.rawHeaders()
    for (let i = 0; i < raw.length; i += 2) yield [raw[i]!, raw[i + 1]!]
  }

  /**
   * Reads the fields that frame the request and name its host. Returns why the request is
   * refused if these fields do not have exactly one meaning.
   */
  interpret(): Refusal | undefined {
    const index = this.#index
    const text = this.#text
    let contentLength = -1
    let expect = -1
    let host = -1
    let seen = 0
    let transferEncoding = -1
    for (let i = 0; i < index.length; i += 4) {
      const at = index[i]!
      switch (index[i + 1]! - at) {
        case 4:
          if (!isAt(text, at, "host")) break
          if (host >= 0) return refusals.RepeatedField
          host = i
          break
        case 6:
          if (!isAt(text, at, "expect")) break
          if (expect >= 0) return refusals.Expect
          expect = i
          break
        case 10:
          if (!isAt(text, at, "connection")) break
          if (!this.#connection(text.slice(index[i + 2], index[i + 3]))) return refusals.Connection
          break
        case 12:
          if (!isAt(text, at, "content-type")) break
          if (seen & 1) return refusals.RepeatedField
          seen |= 1
          break
        case 13:
          if (!isAt(text, at, "authorization")) break
          if (seen & 2) return refusals.RepeatedField
          seen |= 2
          break
        case 14:
          if (!isAt(text, at, "content-length")) break
          if (contentLength >= 0) return refusals.RepeatedField
          contentLength = i
          break
        case 17:
          if (!isAt(text, at, "transfer-encoding")) break
          if (transferEncoding >= 0) return refusals.RepeatedField
          transferEncoding = i
      }
    }

    if (this.method === "CONNECT") return refusals.Connect
    const authority = host === -1 ? undefined : text.slice(index[host + 2], index[host + 3])
    let refusal = HeadRules.host(authority, this.minor)
    if (refusal === undefined && this.target.charCodeAt(0) !== 0x2f) {
      const target = HeadRules.target(this.target, this.method, authority)
      if (typeof target === "string") this.target = target
      else refusal = target
    }
    if (refusal !== undefined) return refusal

    if (transferEncoding >= 0) {
      if (contentLength >= 0) return refusals.ContentLengthAndTransferEncoding
      const end = index[transferEncoding + 3]!
      refusal = HeadRules.transferEncoding(text.slice(index[transferEncoding + 2], end), this.minor)
      if (refusal !== undefined) return refusal
      // White space after the value has hidden the field from some proxies.
      if (text.charCodeAt(end) !== 0x0d) return refusals.TransferEncoding
      this.chunked = true
    } else if (contentLength >= 0) {
      this.contentLength = number(text, index[contentLength + 2]!, index[contentLength + 3]!)
      if (this.contentLength < 0) return refusals.ContentLength
    }

    if (expect >= 0) {
      const at = index[expect + 2]!
      if (index[expect + 3]! - at !== 12 || !isAt(text, at, "100-continue")) return refusals.Expect
      this.expectsContinue = this.minor === 1 && this.hasBody
    }
    this.upgrade = this.#offersUpgrade && !this.hasBody && HeadRules.offersUpgrade(this)
    return undefined
  }

  #closes = false
  #offersUpgrade = false

  /** Source: RFC 9112, section 9.3. */
  #connection(value: string): boolean {
    if (value.length === 10 && isAt(value, 0, "keep-alive")) {
      this.keepAlive = !this.#closes
      return true
    }
    for (const option of Semantics.elements(value)) {
      for (let i = 0; i < option.length; i++) {
        if ((octets[option.charCodeAt(i)]! & TOKEN) === 0) return false
      }
      if (option === "close") this.#closes = true
      else if (option === "keep-alive") this.keepAlive = true
      else if (option === "upgrade") this.#offersUpgrade = true
    }
    if (this.#closes) this.keepAlive = false
    return true
  }
}

const methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]

const methodOf = (text: string, end: number): string => {
  // Constant strings compare by reference later, a new slice by its characters.
  for (const method of methods) {
    if (method.length === end && text.startsWith(method)) return method
  }
  return text.slice(0, end)
}

/** Source: RFC 9110, section 8.6. */
const number = (text: string, start: number, end: number): number => {
  if (start === end || end - start > 16) return -1
  let value = 0
  for (let i = start; i < end; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value > Number.MAX_SAFE_INTEGER ? -1 : value
}
