/** Changes of finished replies, such as their compression. */
import type * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Stream from "effect/Stream"
import type { Incoming } from "./Before.ts"
import * as ReplyHeaders from "./ReplyHeaders.ts"
import * as WireReply from "./WireReply.ts"

/** A reply that only has to be sent. */
export interface Finished {
  /** Undefined for a file and other bodies whose bytes only the listener reads. */
  readonly body: Stream.Stream<Uint8Array, unknown> | string | Uint8Array | undefined
  /** Returns the value of a header of the reply by its lower-case name. */
  readonly header: (name: string) => string | undefined
  readonly status: number
}

/** What changes in a reply. Header lines are names in lower case and values in turn. */
export interface Change {
  /** Lines of lists, such as `vary`, that are added to others of their name. */
  readonly added?: ReadonlyArray<string> | undefined
  /** Undefined if the body stays. */
  readonly body?: Stream.Stream<Uint8Array, unknown> | Uint8Array | undefined
  /** Lines that replace others of their name. */
  readonly set?: ReadonlyArray<string> | undefined
}

/**
 * Returns the change of a finished reply, or `undefined` to leave the reply as it is. An effect is for
 * a change that has to be waited for. It is interrupted if the client disconnects. If the function
 * throws or the effect dies, the reply is a 500.
 */
export type Transform = (
  request: Incoming,
  reply: Finished
) => Change | Effect.Effect<Change | undefined> | undefined

/** A finished reply that takes changes. */
export interface Changing extends Finished {
  readonly change: (change: Change) => void
}

/** A reply as Effect has it, with all its headers. */
export class WholeReply implements Changing {
  response: HttpServerResponse.HttpServerResponse

  constructor(response: HttpServerResponse.HttpServerResponse) {
    this.response = response
  }

  get body(): Changing["body"] {
    const { body } = this.response
    return body._tag === "Stream" ? body.stream : WireReply.bytesOf(this.response)
  }

  get status(): number {
    return this.response.status
  }

  header(name: string): string | undefined {
    return this.response.headers[name]
  }

  change({ added = [], body, set = [] }: Change): void {
    this.response = responseOf(
      this.response,
      ReplyHeaders.merge(ReplyHeaders.fromRecord(this.response.headers), { added, set }, []),
      body
    )
  }
}

/** Returns the reply with these header lines, and with another body if there is one. */
export const responseOf = (
  response: HttpServerResponse.HttpServerResponse,
  lines: ReadonlyArray<string>,
  body: Change["body"]
): HttpServerResponse.HttpServerResponse => {
  if (body === undefined) return WireReply.withLines(response, lines)
  const { cookies, headers } = response
  const type = ReplyHeaders.split(lines).named["content-type"]
  const made = HttpServerResponse.setBody(
    HttpServerResponse.empty({ cookies, status: response.status }),
    body instanceof Uint8Array ? HttpBody.uint8Array(body, type) : HttpBody.stream(body, type)
  )
  const cookie = headers["set-cookie"]
  return WireReply.withLines(
    cookie === undefined ? made : HttpServerResponse.setHeader(made, "set-cookie", cookie),
    lines
  )
}
