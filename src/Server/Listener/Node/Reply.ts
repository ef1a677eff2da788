/** A reply of `node:http` that decides whether its connection stays open. */
import type * as Http from "node:http"
import { keepWithoutLength } from "../KeepAlive.ts"
import { maxDiscarded } from "../Linger.ts"
import { hasBody } from "../RequestHeaders.ts"

// The import statement would also evaluate the module's lazy parts.
const http = process.getBuiltinModule("node:http")

/** The private members of Node's reply that are used here. */
interface NodeReplyInternals {
  _expect_continue: boolean
  _header: string | null
  readonly _headerSent: boolean
  readonly _last: boolean
}

/** The connection of a reply. */
interface Owner {
  /** Whether no request after the last one is answered. */
  isFinal: boolean
  readonly replied: (reply: Reply) => void
}

/** A reply on a connection of the listener. */
export class Reply extends http.ServerResponse<Http.IncomingMessage> {
  /** Whether the client waits for `100 Continue` before it sends the body. */
  #expectsContinue = false
  /** Its connection; undefined until that has recorded the request. */
  owner: Owner | undefined

  /**
   * Sends `100 Continue` when the body is first read, unless the final reply has begun. Source:
   * RFC 9110, section 10.1.1.
   */
  expectContinue(): void {
    const request = this.req
    // Node would close the connection unless `100 Continue` was sent, also if the body came without.
    ;(this as unknown as NodeReplyInternals)._expect_continue = false
    this.#expectsContinue = hasBody(request)
    if (!this.#expectsContinue) return
    const read = request._read
    const proceed = (size: number): void => {
      request._read = read
      // Without the socket, it would come behind the head of this reply.
      if (this.socket === null) this.once("socket", () => this.#proceed())
      else this.#proceed()
      read.call(request, size)
    }
    request._read = proceed
  }

  #proceed(): void {
    // From here on the body comes.
    this.#expectsContinue = false
    if (!this.headersSent) this.writeContinue()
  }

  /** Frees the text of a head that is sent: a reply that is written over time would keep it for hours. */
  forgetHead(): void {
    const internals = this as unknown as NodeReplyInternals
    // Node still looks whether there is one.
    if (internals._headerSent) internals._header = "sent"
  }

  override writeHead(
    status: number,
    reason?: Array<Http.OutgoingHttpHeader> | Http.OutgoingHttpHeaders | string,
    headers?: Array<Http.OutgoingHttpHeader> | Http.OutgoingHttpHeaders
  ): this {
    const request = this.req
    if (!request.complete && (this.#expectsContinue || isLong(request))) {
      this.shouldKeepAlive = false
    } else if (request.httpVersionMinor === 0) keepWithoutLength(this, status)
    // The parameters are those of the overridden method, which has overloads.
    super.writeHead(status, reason as string, headers)
    if ((this as unknown as NodeReplyInternals)._last && this.owner !== undefined) {
      this.owner.isFinal = true
    }
    return this
  }
}

/** Whether the rest of the body may be too long to be dropped for the next request. */
const isLong = ({ headers }: Http.IncomingMessage): boolean =>
  Number(headers["content-length"]) > maxDiscarded
