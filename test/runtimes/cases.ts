/**
 * Requests whose answer differs between the runtimes, because their parsers read them before the
 * listener does: name, bytes, and the answer on Node, Bun and Deno. In the bytes `^` stands for
 * CRLF. An answer is the status with the code of the problem document; without a code it is the runtime's
 * own reply, which has no body.
 */

/** A row of the table. */
export interface Case {
  readonly bun: string
  readonly bytes: string
  readonly deno: string
  readonly name: string
  readonly node: string
}

const malformed = "400 MALFORMED_REQUEST"

const close = "Connection: close"

const get = (line: string, fields = "Host: a^") => `${line}^${fields}${close}^^`

const post = (fields: string, body: string) =>
  `POST /echo HTTP/1.1^Host: a^Content-Type: application/json^${close}^${fields}^^${body}`

const row = (name: string, bytes: string, node: string, bun: string, deno: string): Case => ({
  bun,
  bytes,
  deno,
  name,
  node
})

/** Every case. */
export const cases: ReadonlyArray<Case> = [
  row(
    "a second request while the first one waits",
    "GET /slow/30 HTTP/1.1^Host: a^^" + get("GET /plain HTTP/1.1"),
    "200",
    "closed",
    "200"
  ),
  row(
    "a Host with a path",
    get("GET /plain HTTP/1.1", "Host: a/b^"),
    malformed,
    malformed,
    malformed
  ),
  row("two Hosts", get("GET /plain HTTP/1.1", "Host: a^Host: b^"), malformed, malformed, "400"),
  row("no Host", get("GET /plain HTTP/1.1", ""), malformed, "400", "200"),
  row("an empty Host", get("GET /plain HTTP/1.1", "Host:^"), malformed, malformed, malformed),
  row(
    "dots in the path",
    get("GET /a/../plain HTTP/1.1"),
    "404 ROUTE_NOT_FOUND",
    "200",
    "404 ROUTE_NOT_FOUND"
  ),
  row(
    "an absolute target of the same host",
    get("GET http://a/plain HTTP/1.1"),
    "200",
    "200",
    "200"
  ),
  row(
    "an absolute target of another host",
    get("GET http://b/plain HTTP/1.1"),
    malformed,
    "200",
    malformed
  ),
  row("a fragment", get("GET /plain#a HTTP/1.1"), malformed, malformed, malformed),
  row(
    "an absolute target without a path",
    get("GET http://a?b=/plain HTTP/1.1"),
    "404 ROUTE_NOT_FOUND",
    "404 ROUTE_NOT_FOUND",
    "404 ROUTE_NOT_FOUND"
  ),
  row("`OPTIONS *`", get("OPTIONS * HTTP/1.1"), "204", "400", "204"),
  row(
    "`CONNECT`",
    get("CONNECT a:80 HTTP/1.1"),
    "501 NOT_IMPLEMENTED",
    "501 NOT_IMPLEMENTED",
    "501 NOT_IMPLEMENTED"
  ),
  row(
    "an unknown method",
    get("FOO /plain HTTP/1.1"),
    malformed,
    "closed",
    "405 METHOD_NOT_ALLOWED"
  ),
  row(
    "a method in lower case",
    get("get /plain HTTP/1.1"),
    malformed,
    "closed",
    "405 METHOD_NOT_ALLOWED"
  ),
  row(
    "`QUERY`",
    get("QUERY /plain HTTP/1.1"),
    "405 METHOD_NOT_ALLOWED",
    "405 METHOD_NOT_ALLOWED",
    "405 METHOD_NOT_ALLOWED"
  ),
  row(
    "HTTP/2.0 in the request line",
    get("GET /plain HTTP/2.0"),
    "505 HTTP_VERSION_NOT_SUPPORTED",
    "505",
    "400"
  ),
  row("no HTTP at all", "hello there^^", malformed, "400", "400"),
  row(
    "bare line feeds",
    "GET /plain HTTP/1.1\nHost: a\nConnection: close\n\n",
    malformed,
    "505",
    "200"
  ),
  row("a folded field", get("GET /plain HTTP/1.1", "Host: a^X: 1^ 2^"), malformed, "400", "400"),
  row("a space before the colon", get("GET /plain HTTP/1.1", "Host : a^"), malformed, "400", "400"),
  row(
    "Content-Length with Transfer-Encoding",
    post("Content-Length: 4^Transfer-Encoding: chunked", "0^^"),
    malformed,
    "400",
    "400"
  ),
  row(
    "two Content-Lengths",
    post("Content-Length: 4^Content-Length: 5", "abcde"),
    malformed,
    "400",
    "400"
  ),
  row(
    "a coding before chunked",
    post("Transfer-Encoding: gzip, chunked", "0^^"),
    "501 UNSUPPORTED_CODING",
    "400",
    "501 UNSUPPORTED_CODING"
  ),
  row(
    "a chunk size that is no number",
    post("Transfer-Encoding: chunked", "zz^abc^0^^"),
    malformed,
    "400",
    "closed"
  ),
  row(
    "an unknown expectation",
    post("Content-Length: 2^Expect: x", "{}"),
    "417 EXPECTATION_FAILED",
    "417 EXPECTATION_FAILED",
    "417 EXPECTATION_FAILED"
  ),
  row(
    "a head of 20 000 bytes",
    get("GET /plain HTTP/1.1", `Host: a^X: ${"x".repeat(20_000)}^`),
    "431 HEADERS_TOO_LARGE",
    "431",
    "200"
  ),
  row(
    "a target of 20 000 bytes",
    get(`GET /${"x".repeat(20_000)} HTTP/1.1`),
    "431 HEADERS_TOO_LARGE",
    "431",
    "414 URI_TOO_LONG"
  ),
  row(
    "300 fields",
    get(
      "GET /plain HTTP/1.1",
      `Host: a^${Array.from({ length: 300 }, (_, i) => `x${i}: 1^`).join("")}`
    ),
    "200",
    "431",
    "400"
  )
]

/** Returns the answer in the words of the table. */
export const answerOf = (reply: string): string => {
  const status = /^HTTP\/1\.[01] (\d+) /.exec(reply)?.[1]
  if (status === undefined) return "closed"
  const code = /"code":"([A-Z_]+)"/.exec(reply)?.[1]
  return code === undefined ? status : `${status} ${code}`
}

/** Returns the table of the guide. */
export const table = (): string =>
  [
    "| request | Node | Bun | Deno |",
    "| --- | --- | --- | --- |",
    ...cases.map(({ bun, deno, name, node }) => `| ${name} | ${node} | ${bun} | ${deno} |`)
  ].join("\n")
