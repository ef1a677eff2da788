/** From Effect's response to what goes on the wire at once. */
import * as Cookies from "effect/http/Cookies"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Response from "effect/http/HttpServerResponse"

const nothing = new Uint8Array(0)

/** Under which a body keeps the text that it was made of. */
const source = Symbol("flange/WireReply/source")

interface Sourced {
  [source]?: string
}

/**
 * A response of text that remembers it: head and text then leave in one write,
 * where bytes would be a second one.
 */
export const ofText = (
  text: string,
  options: { readonly contentType: string; readonly status: number }
): HttpServerResponse => {
  const response = Response.text(text, options)
  ;(response.body as Sourced)[source] = text
  return response
}

/** The head and body of a reply of bytes; undefined for one that is a stream or a file. */
export const replyOf = (
  response: HttpServerResponse
): { readonly body: string | Uint8Array; readonly headers: Array<string> } | undefined => {
  const { body } = response
  if (body._tag !== "Empty" && body._tag !== "Uint8Array") return undefined
  const headers: Array<string> = []
  for (const name in response.headers) {
    if (name !== "content-length") headers.push(name, response.headers[name]!)
  }
  if (!Cookies.isEmpty(response.cookies)) {
    for (const cookie of Cookies.toSetCookieHeaders(response.cookies)) {
      headers.push("set-cookie", cookie)
    }
  }
  return {
    body: body._tag === "Empty" ? nothing : ((body as Sourced)[source] ?? body.body),
    headers
  }
}
