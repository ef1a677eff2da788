/** Effect's view of a request that the compiled lane serves; made only for handlers that ask. */
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Option from "effect/Option"

/** What a listener knows of a request. */
export interface Head {
  /** The body, once it was read. */
  readonly body: Uint8Array | undefined
  readonly headers: Iterable<readonly [string, string]>
  readonly method: string
  readonly remoteAddress: string | undefined
  readonly target: string
}

/** The request as an `HttpServerRequest`. */
export const make = (head: Head): HttpServerRequest.HttpServerRequest => {
  const headers = new Headers()
  for (const [name, value] of head.headers) headers.append(name, value)
  const url = new URL(head.target, `http://${headers.get("host") ?? "localhost"}`)
  return HttpServerRequest.fromWeb(
    new Request(url, {
      headers,
      method: head.method,
      ...(head.body !== undefined && head.body.length > 0
        ? { body: head.body as Uint8Array<ArrayBuffer> }
        : {})
    })
  ).modify({ remoteAddress: Option.fromNullishOr(head.remoteAddress), url: head.target })
}
