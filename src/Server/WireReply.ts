/** From Effect's response to what goes on the wire at once. */
import * as Cookies from "effect/http/Cookies"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"

const nothing = new Uint8Array(0)

/** The head and body of a reply of bytes; undefined for one that is a stream or a file. */
export const replyOf = (
  response: HttpServerResponse
): { readonly body: Uint8Array; readonly headers: Array<string> } | undefined => {
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
  return { body: body._tag === "Empty" ? nothing : body.body, headers }
}
