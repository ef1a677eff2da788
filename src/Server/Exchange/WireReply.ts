/** Effect's response as the bytes and header lines of a reply, and back. */
import * as Cookies from "effect/http/Cookies"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as ReplyHeaders from "./ReplyHeaders.ts"

const nothing = new Uint8Array(0)

/** Returns the body of a reply; undefined if the body is a stream or a file. */
export const bytesOf = ({
  body
}: HttpServerResponse.HttpServerResponse): string | Uint8Array | undefined => {
  switch (body._tag) {
    case "Empty":
      return nothing
    case "Uint8Array":
      // A listener sends a head and a text in one write, a head and bytes in two.
      return body.text ?? body.body
    default:
      return undefined
  }
}

/**
 * Returns the header lines of a reply, names and values in turn, with cookies and without
 * those that frame the body.
 */
export const linesOf = ({
  cookies,
  headers
}: HttpServerResponse.HttpServerResponse): Array<string> => {
  const lines: Array<string> = []
  for (const name in headers) {
    if (!ReplyHeaders.isFraming(name)) lines.push(name, headers[name]!)
  }
  if (!Cookies.isEmpty(cookies)) {
    for (const cookie of Cookies.toSetCookieHeaders(cookies)) lines.push("set-cookie", cookie)
  }
  return lines
}

/**
 * Returns the response with these bytes as its body. If there are no bytes and no content
 * type, the response has no body.
 */
export const responseOf = (
  body: string | Uint8Array,
  options: HttpServerResponse.Options.WithContentType
): HttpServerResponse.HttpServerResponse =>
  body.length === 0 && options.contentType === undefined
    ? HttpServerResponse.empty(options)
    : typeof body === "string"
      ? HttpServerResponse.text(body, options)
      : HttpServerResponse.uint8Array(body, options)
