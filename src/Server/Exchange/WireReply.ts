/** From Effect's response to the bytes and header lines of a reply. */
import * as Cookies from "effect/http/Cookies"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"

const nothing = new Uint8Array(0)

/** The body of a reply of bytes; undefined for one that is a stream or a file. */
export const bytesOf = ({ body }: HttpServerResponse): string | Uint8Array | undefined => {
  switch (body._tag) {
    case "Empty":
      return nothing
    case "Uint8Array":
      // Head and text leave in one write, bytes would be a second one.
      return body.text ?? body.body
    default:
      return undefined
  }
}

/** The header lines of a reply, names and values in turn, cookies included, without its length. */
export const linesOf = ({ cookies, headers }: HttpServerResponse): Array<string> => {
  const lines: Array<string> = []
  for (const name in headers) {
    if (name !== "content-length") lines.push(name, headers[name]!)
  }
  if (!Cookies.isEmpty(cookies)) {
    for (const cookie of Cookies.toSetCookieHeaders(cookies)) lines.push("set-cookie", cookie)
  }
  return lines
}
