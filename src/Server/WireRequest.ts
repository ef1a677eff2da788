/** Effect's view of a request that the compiled lane serves; made only for those who ask. */
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Option from "effect/Option"

/** What a listener knows of a request. */
export interface Head {
  /** The body, once it was read. */
  readonly body: Uint8Array | undefined
  /** As they came: several lines of one name are several pairs. */
  readonly headers: Iterable<readonly [string, string]>
  readonly method: string
  readonly remoteAddress: string | undefined
  readonly target: string
}

/** The request as an `HttpServerRequest`. */
export const make = (head: Head): HttpServerRequest.HttpServerRequest =>
  HttpServerRequest.fromWeb(
    // Effect reads head and body of it, and both are here.
    new Source(head) as unknown as Request
  ).modify({ remoteAddress: Option.fromNullishOr(head.remoteAddress), url: head.target })

/**
 * What `fromWeb` reads of a web `Request`. Those who ask for an `HttpServerRequest`
 * mostly want a header or the address; a `Request` is made for the others.
 */
class Source {
  readonly #head: Head
  #request: Request | undefined
  readonly headers: Iterable<readonly [string, string]>
  readonly method: string
  readonly url: string

  constructor(head: Head) {
    this.#head = head
    this.headers = joined(head.headers)
    this.method = head.method
    this.url = head.target
  }

  get #web(): Request {
    const { body, method, target } = this.#head
    return (this.#request ??= new Request(new URL(target, "http://localhost"), {
      headers: [...this.headers] as Array<[string, string]>,
      method,
      ...(body !== undefined && body.length > 0 ? { body: body as Uint8Array<ArrayBuffer> } : {})
    }))
  }

  get body() {
    return this.#web.body
  }

  get signal() {
    return this.#web.signal
  }

  arrayBuffer() {
    return this.#web.arrayBuffer()
  }

  formData() {
    return this.#web.formData()
  }

  text() {
    return this.#web.text()
  }
}

/** Source: RFC 9110, section 5.3; cookies by RFC 9113, section 8.2.3. */
const joined = (
  pairs: Iterable<readonly [string, string]>
): Iterable<readonly [string, string]> => {
  const values = new Map<string, string>()
  for (const [raw, value] of pairs) {
    const name = raw.toLowerCase()
    const before = values.get(name)
    values.set(
      name,
      before === undefined ? value : `${before}${name === "cookie" ? "; " : ", "}${value}`
    )
  }
  return values
}
