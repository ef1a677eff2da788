/** Effect's response as the bytes and header lines of a reply, and back. */
import * as Cookies from "effect/http/Cookies"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Location from "../../Contract/Location.ts"
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
 * those that frame the body. Throws if a cookie cannot be sent.
 */
export const linesOf = ({
  cookies,
  headers
}: HttpServerResponse.HttpServerResponse): Array<string> => {
  const lines = ReplyHeaders.fromRecord(headers)
  if (!Cookies.isEmpty(cookies)) {
    for (const cookie of Cookies.toSetCookieHeaders(cookies)) lines.push("set-cookie", cookie)
  }
  return lines
}

/** Returns the response with these header lines. Cookies among them come before its own. */
export const withLines = (
  response: HttpServerResponse.HttpServerResponse,
  lines: ReadonlyArray<string>
): HttpServerResponse.HttpServerResponse => {
  const { cookies, named } = ReplyHeaders.split(lines)
  const whole = HttpServerResponse.setHeaders(response, named)
  if (cookies.length === 0) return whole
  return HttpServerResponse.replaceCookies(
    HttpServerResponse.removeHeader(whole, "set-cookie"),
    Cookies.fromReadonlyRecord({
      // The key is the whole line, so two cookies of one name are both kept.
      ...Object.fromEntries(cookies.map((line) => [line, asWritten(line)])),
      ...response.cookies.cookies
    })
  )
}

/** Returns a cookie that is sent as exactly this line. */
const asWritten = (line: string): Cookies.Cookie => {
  const [name, ...rest] = line.split("=")
  const value = rest.join("=")
  return Object.assign(Cookies.makeCookieUnsafe("a", ""), { name, value, valueEncoded: value })
}

/** Returns the response with the address in its `Location` encoded. */
export const withEncodedLocation = (
  response: HttpServerResponse.HttpServerResponse
): HttpServerResponse.HttpServerResponse => {
  const { location } = response.headers
  if (location === undefined) return response
  const encoded = Location.encoded(location)
  return encoded === location
    ? response
    : HttpServerResponse.setHeader(response, "location", encoded)
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
