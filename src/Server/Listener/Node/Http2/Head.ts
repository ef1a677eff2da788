/** The head of an HTTP/2 request. Source: RFC 9113, section 8.3. */
import * as Semantics from "../../../Exchange/Semantics.ts"
import * as HeadRules from "../../HeadRules.ts"
import { type Refusal, refusals } from "../../Refusal.ts"

/** The fields of a request: pseudo-header fields, and names and values as they were sent. */
export class Head {
  #authority: string | undefined
  #host: string | undefined
  readonly method: string
  /** Names and values in turn, all in lower case; pseudo-header fields are among them. */
  readonly #raw: ReadonlyArray<string>
  readonly scheme: string | undefined
  /** Undefined for CONNECT. */
  readonly target: string | undefined

  constructor(raw: ReadonlyArray<string>) {
    this.#raw = raw
    let method = ""
    for (let i = 0; i < raw.length; i += 2) {
      const value = raw[i + 1]!
      switch (raw[i]) {
        case ":authority":
          this.#authority = value
          break
        case ":method":
          method = value
          break
        case ":path":
          this.target = value
          break
        case ":scheme":
          this.scheme = value
          break
        case "host":
          this.#host = value
      }
    }
    this.method = method
  }

  /** The authority, or else the Host field of a client that translated an HTTP/1.1 request. */
  get authority(): string | undefined {
    return this.#authority ?? this.#host
  }

  /** Names and values as they were sent. `:authority` is `host`, and the other pseudo-header fields are left out. */
  *entries(): Generator<readonly [string, string]> {
    if (this.#authority !== undefined && this.#host === undefined) yield ["host", this.#authority]
    const raw = this.#raw
    for (let i = 0; i < raw.length; i += 2) {
      if (raw[i]!.charCodeAt(0) !== colon) yield [raw[i]!, raw[i + 1]!]
    }
  }

  /** Returns the value of a field by its lower-case name; several lines are joined. */
  header(name: string): string | undefined {
    const raw = this.#raw
    let found: string | undefined
    for (let i = 0; i < raw.length; i += 2) {
      if (raw[i] === name) found = Semantics.joined(name, found, raw[i + 1]!)
    }
    return found ?? (name === "host" ? this.#authority : undefined)
  }

  /**
   * Returns why the request is refused; undefined if it is not. Node's library has refused missing and
   * repeated pseudo-header fields, a path that is none, and fields of a connection.
   */
  refusal(): Refusal | undefined {
    if (this.method === "CONNECT") return refusals.Connect
    if (this.scheme !== "http" && this.scheme !== "https") return refusals.Scheme
    const host = this.#host
    const authority = this.#authority
    if (
      host !== undefined &&
      authority !== undefined &&
      host.toLowerCase() !== authority.toLowerCase()
    ) {
      return refusals.AuthorityAndHost
    }
    const expected = this.header("expect")
    if (expected !== undefined && expected.toLowerCase() !== "100-continue") return refusals.Expect
    return HeadRules.host(authority ?? host, 1)
  }
}

const colon = 0x3a
