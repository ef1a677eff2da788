/** Valid requests of every kind, as bytes. */

const json = '{"count":1,"name":"ada","tags":["a","b\\u00e9"]}'

const message = (line: string, lines: ReadonlyArray<string>, body = ""): Buffer =>
  Buffer.from([line + " HTTP/1.1", "Host: a", ...lines, "", body].join("\r\n"), "latin1")

const withLength = (line: string, type: string, body: string, ...lines: ReadonlyArray<string>) =>
  message(line, [`Content-Type: ${type}`, `Content-Length: ${body.length}`, ...lines], body)

const chunked = (line: string, type: string, chunks: ReadonlyArray<string>, trailers = "") =>
  message(
    line,
    [`Content-Type: ${type}`, "Transfer-Encoding: chunked"],
    `${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("")}0\r\n${trailers}\r\n`
  )

const multipart = [
  '--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nada\r\n',
  '--b\r\nContent-Disposition: form-data; name="count"\r\nContent-Type: text/plain\r\n\r\n1\r\n',
  "--b--\r\n"
]

const upgrade = (line: string, protocol: string, ...lines: ReadonlyArray<string>) =>
  message(line, ["Connection: Upgrade", `Upgrade: ${protocol}`, ...lines])

const get = message("GET /read/1?flag=true&list=1&list=2", [
  "Cookie: a=1; b=two",
  "X-Number: 7",
  "Accept: */*"
])

const post = withLength("POST /json/1", "application/json", json)

/** A masked frame of a WebSocket with the text `hi`. */
const frame = Buffer.from([0x81, 0x82, 1, 2, 3, 4, 0x69, 0x6b])

/** The requests. */
export const seeds: ReadonlyArray<Buffer> = [
  get,
  message("GET /nothing", []),
  message("HEAD /nothing", []),
  message("OPTIONS /json/1", []),
  message("OPTIONS *", []),
  message("DELETE /json/1", ["Connection: keep-alive"]),
  message("GET http://a/read/x%20y;z?flag=false", []),
  message("GET /read/1", ["Connection: close, te", "X-Number: many"]),
  Buffer.from("GET /nothing HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
  post,
  withLength("POST /json/1", "application/json; charset=utf-8", json, "Expect: 100-continue"),
  withLength("POST /json/x", "application/json", '{"count":"1","name":2}'),
  withLength("POST /form", "application/x-www-form-urlencoded", "count=1&name=a%20b+c%C3%A9"),
  withLength("POST /multipart", "multipart/form-data; boundary=b", multipart.join("")),
  withLength("POST /text", "text/plain", "some text"),
  withLength("POST /streamed", "application/octet-stream", "0123456789"),
  withLength("POST /raw/body", "text/plain", "raw", "Content-Encoding: identity"),
  withLength("POST /nowhere", "text/plain", "unread"),
  chunked("POST /json/1", "application/json", [json.slice(0, 9), json.slice(9)]),
  chunked("POST /multipart", "multipart/form-data; boundary=b", multipart, "X-Trailer: 1\r\n"),
  chunked("POST /streamed", "application/octet-stream", ["0123", "456789"]),
  chunked("POST /raw/body", "text/plain", ["a", "bc"]),
  message("GET /raw/a%2Fb", ["X-Request-Id: 0190d5e0-0000-7000-8000-000000000000"]),
  upgrade("GET /tunnel", "tunnel"),
  upgrade("GET /read/1", "websocket"),
  Buffer.concat([
    upgrade(
      "GET /socket",
      "websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    ),
    frame
  ]),
  Buffer.concat([get, post, get]),
  Buffer.concat([post, message("GET /raw/1", []), upgrade("GET /nothing", "h2c"), get])
]

/** Ends a connection, if it is read as a request. */
export const last: Buffer = message("GET /read/last", ["Connection: close"])
