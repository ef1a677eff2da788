/** Replies that take the changes of transforms. */
import * as HttpBody from "effect/http/HttpBody"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { HeaderChanges } from "./HeaderChanges.ts"
import * as ReplyHeaders from "./ReplyHeaders.ts"
import type { Change, Finished } from "./ReplyTransform.ts"
import * as WireReply from "./WireReply.ts"

/** A finished reply that takes changes. */
export interface Changing extends Finished {
  readonly change: (change: Change) => void
}

/** A reply of bytes and its own header lines. Its changes are not made to `headers`. */
export class BytesReply implements Changing {
  body: Changing["body"]
  readonly headers: HeaderChanges
  readonly #own: ReadonlyArray<string>
  readonly status: number

  constructor(
    status: number,
    own: ReadonlyArray<string>,
    body: string | Uint8Array,
    headers: HeaderChanges
  ) {
    this.body = body
    this.headers = headers.copy()
    this.#own = own
    this.status = status
  }

  // A transform may read it without the reply.
  readonly header = this.#valueOf.bind(this)

  #valueOf(name: string): string | undefined {
    return this.headers.valueOf(name, this.#own)
  }

  change(change: Change): void {
    this.headers.change(change)
    if (change.body !== undefined) this.body = change.body
  }
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

  // A transform may read it without the reply.
  readonly header = this.#valueOf.bind(this)

  #valueOf(name: string): string | undefined {
    return ReplyHeaders.isFraming(name) ? undefined : this.response.headers[name]
  }

  change(change: Change): void {
    const { response } = this
    const headers = new HeaderChanges(complete)
    headers.change(change)
    const lines = headers.merged(ReplyHeaders.fromRecord(response.headers))
    this.response = responseOf(response, lines, change.body)
  }
}

// The reply has the constant headers and the request id already.
const complete = { plan: { constant: new Set<string>(), headers: [], isBare: true }, requestId: "" }

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
