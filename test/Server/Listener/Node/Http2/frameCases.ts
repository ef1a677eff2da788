/** What a client may do wrong in frames of HTTP/2, and what the server does. The sections are of RFC 9113 and RFC 7541. */
import {
  block,
  codes,
  data,
  flags,
  frame,
  headers,
  ping,
  rst,
  settings,
  types,
  uint32,
  windowUpdate
} from "./frames.ts"

/** What the server answers with: the end of the connection or of stream 1, a reply, or an acknowledgement. */
export type Expected =
  | "closed"
  | "pong"
  | "reply"
  | "settings"
  | { readonly goaway: number }
  | { readonly rst: number }

export interface Case {
  readonly expected: ReadonlyArray<Expected>
  readonly name: string
  readonly sent: ReadonlyArray<Buffer>
}

const pseudo = (method = "GET", path = "/hello"): Array<readonly [string, string]> => [
  [":method", method],
  [":scheme", "http"],
  [":path", path],
  [":authority", "localhost"]
]

const get = block(...pseudo())

const post = block(...pseudo("POST", "/echo"), ["content-type", "text/plain"])

const has = (...fields: ReadonlyArray<readonly [string, string]>) =>
  headers(1, block(...pseudo(), ...fields))

const only = (...fields: ReadonlyArray<readonly [string, string]>) => headers(1, block(...fields))

/** The errors of a connection; the server may also just close it. */
const goaway = (...list: ReadonlyArray<number>): ReadonlyArray<Expected> => [
  ...list.map((code) => ({ goaway: code })),
  "closed"
]

/** The errors of a stream, which a server may treat as errors of the connection. */
const reset = (...list: ReadonlyArray<number>): ReadonlyArray<Expected> => [
  ...list.map((code) => ({ rst: code })),
  ...goaway(...list)
]

const expect =
  (expected: ReadonlyArray<Expected>) =>
  (name: string, ...sent: ReadonlyArray<Buffer>): Case => ({
    expected,
    name,
    sent
  })

const replies = expect(["reply"])
const pongs = expect(["pong"])
const malformed = expect(reset(codes.protocol))
const breaks = expect(goaway(codes.protocol))
const wrongSize = expect(reset(codes.frameSize))
const closedStream = expect(reset(codes.streamClosed, codes.protocol))
const compression = expect(goaway(codes.compression))
const flow = expect(reset(codes.flowControl))

export const cases: ReadonlyArray<Case> = [
  // In this order: the sections of the RFCs.
  pongs(
    "4.1: a frame of an unknown type is ignored",
    frame(0xff, 0, 0, Buffer.alloc(8)),
    ping("a")
  ),
  pongs("4.1: unknown flags are ignored", frame(types.ping, 0xfe, 0, Buffer.alloc(8))),
  pongs("4.1: the reserved bit is ignored", frame(types.ping, 0, 0x8000_0000, Buffer.alloc(8))),
  replies(
    "4.2: a DATA frame of the longest size is taken",
    headers(1, post, 0),
    data(1, "x".repeat(16_384))
  ),
  wrongSize("4.2: a longer DATA frame", headers(1, post, 0), data(1, "x".repeat(16_385))),
  expect(goaway(codes.frameSize))(
    "4.2: a longer HEADERS frame",
    has(["x-long", "x".repeat(16_385)])
  ),
  compression("4.3: a header block that cannot be decoded", headers(1, Buffer.from([0x00]))),
  breaks(
    "4.3: a PRIORITY frame within a header block",
    frame(types.headers, flags.endStream, 1, get),
    frame(types.priority, 0, 1, Buffer.from([0, 0, 0, 0, 16]))
  ),
  breaks(
    "4.3: a HEADERS frame of another stream within a header block",
    frame(types.headers, flags.endStream, 1, get),
    headers(3, get)
  ),
  breaks("5.1: DATA on an idle stream", data(1, "x")),
  breaks("5.1: RST_STREAM on an idle stream", rst(1)),
  breaks("5.1: WINDOW_UPDATE on an idle stream", windowUpdate(1, 100)),
  breaks(
    "5.1: CONTINUATION on an idle stream",
    frame(types.continuation, flags.endHeaders, 1, get)
  ),
  closedStream("5.1: DATA after the end of the request", headers(1, post), data(1, "x")),
  closedStream("5.1: HEADERS after the end of the request", headers(1, get), headers(1, get)),
  closedStream(
    "5.1: CONTINUATION after the end of the request",
    headers(1, get),
    frame(types.continuation, flags.endHeaders, 1, get)
  ),
  expect([...reset(codes.streamClosed, codes.protocol), "pong"])(
    "5.1: DATA after RST_STREAM",
    headers(1, post, 0),
    rst(1),
    data(1, "x"),
    ping("a")
  ),
  expect([...reset(codes.streamClosed, codes.protocol), "pong"])(
    "5.1: HEADERS after RST_STREAM",
    headers(1, post, 0),
    rst(1),
    headers(1, get),
    ping("a")
  ),
  breaks("5.1.1: an even number of a stream", headers(2, get)),
  // nghttp2 cannot tell such a stream from one that was open before.
  pongs(
    "5.1.1: a number below that of an earlier stream is ignored",
    headers(5, get),
    headers(3, get),
    ping("a")
  ),
  pongs(
    "5.3: a PRIORITY frame of an idle stream is ignored",
    frame(types.priority, 0, 7, Buffer.from([0, 0, 0, 0, 16])),
    ping("a")
  ),
  expect(goaway(codes.protocol, codes.frameSize))(
    "5.4.1: an error of the connection ends it",
    frame(types.ping, 0, 3, Buffer.alloc(8))
  ),
  pongs(
    "5.5: an unknown frame between requests is ignored",
    frame(0x16, 0, 1, Buffer.alloc(16)),
    ping("a")
  ),
  breaks(
    "5.5: an unknown frame within a header block",
    frame(types.headers, flags.endStream, 1, get),
    frame(0x16, 0, 1, Buffer.alloc(16))
  ),
  breaks("6.1: DATA on stream 0", data(0, "x")),
  breaks(
    "6.1: DATA whose padding is longer than it",
    headers(1, post, 0),
    frame(types.data, flags.padded | flags.endStream, 1, Buffer.from([9, 1]))
  ),
  replies(
    "6.1: DATA with padding is taken",
    headers(1, post, 0),
    frame(types.data, flags.padded | flags.endStream, 1, Buffer.from([2, 0x78, 0, 0]))
  ),
  breaks("6.2: HEADERS on stream 0", headers(0, get)),
  breaks(
    "6.2: HEADERS whose padding is longer than it",
    headers(1, Buffer.concat([Buffer.from([200]), get]), flags.padded | flags.endStream)
  ),
  replies(
    "6.2: HEADERS with padding are taken",
    headers(
      1,
      Buffer.concat([Buffer.from([1]), get, Buffer.alloc(1)]),
      flags.padded | flags.endStream
    )
  ),
  replies(
    "6.2: HEADERS with a priority are taken",
    headers(
      1,
      Buffer.concat([Buffer.from([0, 0, 0, 0, 15]), get]),
      flags.priority | flags.endStream
    )
  ),
  malformed(
    "6.2: a stream that depends on itself",
    headers(
      1,
      Buffer.concat([Buffer.from([0, 0, 0, 1, 15]), get]),
      flags.priority | flags.endStream
    )
  ),
  // nghttp2 ignores the priorities of RFC 7540.
  pongs(
    "6.3: PRIORITY on stream 0 is ignored",
    frame(types.priority, 0, 0, Buffer.from([0, 0, 0, 0, 16])),
    ping("a")
  ),
  wrongSize(
    "6.3: PRIORITY of another length than 5",
    headers(1, post, 0),
    frame(types.priority, 0, 1, Buffer.alloc(4))
  ),
  breaks("6.4: RST_STREAM on stream 0", rst(0)),
  expect(goaway(codes.frameSize))(
    "6.4: RST_STREAM of another length than 4",
    headers(1, post, 0),
    frame(types.rstStream, 0, 1, Buffer.alloc(3))
  ),
  expect(["settings"])("6.5: SETTINGS are acknowledged", settings()),
  expect(goaway(codes.frameSize))(
    "6.5: an acknowledgement with a payload",
    frame(types.settings, flags.ack, 0, Buffer.alloc(1))
  ),
  breaks("6.5: SETTINGS on a stream", frame(types.settings, 0, 1)),
  expect(goaway(codes.frameSize))(
    "6.5: SETTINGS of a length that is no multiple of 6",
    frame(types.settings, 0, 0, Buffer.alloc(3))
  ),
  breaks("6.5.2: ENABLE_PUSH of 2", settings([2, 2])),
  expect(goaway(codes.flowControl))(
    "6.5.2: INITIAL_WINDOW_SIZE above its maximum",
    settings([4, 0x8000_0000])
  ),
  breaks("6.5.2: MAX_FRAME_SIZE below its minimum", settings([5, 16_383])),
  breaks("6.5.2: MAX_FRAME_SIZE above its maximum", settings([5, 0x100_0000])),
  expect(["settings"])("6.5.2: an unknown setting is ignored", settings([0xff, 1])),
  breaks(
    "6.6: PUSH_PROMISE of a client",
    headers(1, post, 0),
    frame(types.pushPromise, flags.endHeaders, 1, Buffer.concat([uint32(2), get]))
  ),
  pongs("6.7: PING is answered", ping("a")),
  expect(goaway(codes.internal))(
    "6.7: an acknowledgement that nobody waits for",
    frame(types.ping, flags.ack, 0, Buffer.from("invented"))
  ),
  breaks("6.7: PING on a stream", frame(types.ping, 0, 1, Buffer.alloc(8))),
  expect(goaway(codes.frameSize))(
    "6.7: PING of another length than 8",
    frame(types.ping, 0, 0, Buffer.alloc(6))
  ),
  breaks("6.8: GOAWAY on a stream", frame(types.goaway, 0, 1, Buffer.alloc(8))),
  breaks("6.9: WINDOW_UPDATE of the connection by 0", windowUpdate(0, 0)),
  malformed("6.9: WINDOW_UPDATE of a stream by 0", headers(1, post, 0), windowUpdate(1, 0)),
  expect(goaway(codes.frameSize))(
    "6.9: WINDOW_UPDATE of another length than 4",
    frame(types.windowUpdate, 0, 0, Buffer.alloc(3))
  ),
  expect(goaway(codes.flowControl))(
    "6.9.1: a window of the connection above its maximum",
    windowUpdate(0, 0x7fff_ffff),
    windowUpdate(0, 0x7fff_ffff)
  ),
  flow(
    "6.9.1: a window of a stream above its maximum",
    headers(1, post, 0),
    windowUpdate(1, 0x7fff_ffff),
    windowUpdate(1, 0x7fff_ffff)
  ),
  replies(
    "6.10: a header block in several frames is taken",
    frame(types.headers, flags.endStream, 1, get.subarray(0, 9)),
    frame(types.continuation, 0, 1, get.subarray(9, 20)),
    frame(types.continuation, flags.endHeaders, 1, get.subarray(20))
  ),
  breaks(
    "6.10: CONTINUATION of another stream",
    frame(types.headers, flags.endStream, 1, get),
    frame(types.continuation, flags.endHeaders, 3, get)
  ),
  breaks(
    "6.10: CONTINUATION on stream 0",
    frame(types.headers, flags.endStream, 1, get),
    frame(types.continuation, flags.endHeaders, 0, get)
  ),
  breaks(
    "6.10: CONTINUATION after a header block has ended",
    headers(1, post, 0),
    frame(types.continuation, flags.endHeaders, 1, get)
  ),
  breaks("6.10: DATA within a header block", frame(types.headers, 0, 1, post), data(1, "x")),
  expect(goaway(codes.none))(
    "7: GOAWAY with an unknown code",
    frame(types.goaway, 0, 0, Buffer.concat([uint32(0), uint32(0xff)]))
  ),
  pongs(
    "7: RST_STREAM with an unknown code is taken",
    headers(1, post, 0),
    rst(1, 0xff),
    ping("a")
  ),
  malformed(
    "8.1: trailers that do not end the request",
    headers(1, post, 0),
    data(1, "x", 0),
    headers(1, block(["x-late", "1"]), 0)
  ),
  malformed(
    "8.1: trailers with a pseudo-header field",
    headers(1, post, 0),
    data(1, "x", 0),
    headers(1, block([":path", "/"]))
  ),
  replies(
    "8.1: trailers are taken",
    headers(1, post, 0),
    data(1, "x", 0),
    headers(1, block(["x-late", "1"]))
  ),
  malformed(
    "8.1.1: a Content-Length above the length of the body",
    headers(
      1,
      block(...pseudo("POST", "/echo"), ["content-type", "text/plain"], ["content-length", "2"]),
      0
    ),
    data(1, "x")
  ),
  // Node treats it as an error of the connection.
  expect(reset(codes.protocol, codes.internal))(
    "8.1.1: a Content-Length below the length of the body",
    headers(
      1,
      block(...pseudo("POST", "/echo"), ["content-type", "text/plain"], ["content-length", "1"]),
      0
    ),
    data(1, "x", 0),
    data(1, "yz")
  ),
  malformed(
    "8.1.1: a Content-Length of a request without a body",
    headers(1, block(...pseudo("POST", "/echo"), ["content-length", "1"]))
  ),
  malformed(
    "8.1.1: two Content-Length fields",
    headers(
      1,
      block(
        ...pseudo("POST", "/echo"),
        ["content-type", "text/plain"],
        ["content-length", "1"],
        ["content-length", "1"]
      ),
      0
    ),
    data(1, "x")
  ),
  malformed(
    "8.1.1: a Content-Length that is no number",
    headers(
      1,
      block(...pseudo("POST", "/echo"), ["content-type", "text/plain"], ["content-length", "+1"]),
      0
    ),
    data(1, "x")
  ),
  malformed("8.2.1: a field name in upper case", has(["X-Upper", "1"])),
  replies("8.2.1: a field name with a space is left out", has(["x y", "1"])),
  replies("8.2.1: a field value with a line break is left out", has(["x-break", "a\r\nb: c"])),
  replies("8.2.1: a field value with a NUL is left out", has(["x-nul", "a\0"])),
  malformed("8.2.2: a Connection field", has(["connection", "keep-alive"])),
  malformed("8.2.2: a Keep-Alive field", has(["keep-alive", "timeout=5"])),
  malformed("8.2.2: a Proxy-Connection field", has(["proxy-connection", "keep-alive"])),
  malformed("8.2.2: a Transfer-Encoding field", has(["transfer-encoding", "chunked"])),
  malformed("8.2.2: an Upgrade field", has(["upgrade", "websocket"])),
  malformed("8.2.2: a TE field of another value than trailers", has(["te", "trailers, deflate"])),
  replies("8.2.2: TE with trailers is taken", has(["te", "trailers"])),
  malformed("8.3: an unknown pseudo-header field", only([":test", "1"], ...pseudo())),
  malformed("8.3: a pseudo-header field of replies", only([":status", "200"], ...pseudo())),
  malformed("8.3: a pseudo-header field behind another field", only(["x-first", "1"], ...pseudo())),
  malformed(
    "8.3.1: an empty :path",
    only([":method", "GET"], [":scheme", "http"], [":path", ""], [":authority", "localhost"])
  ),
  malformed(
    "8.3.1: no :method",
    only([":scheme", "http"], [":path", "/"], [":authority", "localhost"])
  ),
  malformed(
    "8.3.1: no :scheme",
    only([":method", "GET"], [":path", "/"], [":authority", "localhost"])
  ),
  malformed(
    "8.3.1: no :path",
    only([":method", "GET"], [":scheme", "http"], [":authority", "localhost"])
  ),
  malformed("8.3.1: two :method", only([":method", "GET"], ...pseudo())),
  malformed("8.3.1: two :scheme", only([":scheme", "http"], ...pseudo())),
  malformed("8.3.1: two :path", only([":path", "/"], ...pseudo())),
  malformed("8.3.1: two :authority", only([":authority", "localhost"], ...pseudo())),
  malformed("8.3.1: two Host fields", has(["host", "localhost"], ["host", "localhost"])),
  malformed(
    "8.3.1: an :authority with a space",
    only([":method", "GET"], [":scheme", "http"], [":path", "/"], [":authority", "a b"])
  ),
  compression(
    "RFC 7541, 2.3.3: an index beyond the tables",
    headers(1, Buffer.concat([get, Buffer.from([0xff, 0x7f])]))
  ),
  compression(
    "RFC 7541, 4.2: a table size above the limit",
    headers(1, Buffer.concat([Buffer.from([0x3f, 0xff, 0xff, 0x7f]), get]))
  ),
  compression(
    "RFC 7541, 4.2: a table size at the end of a block",
    headers(1, Buffer.concat([get, Buffer.from([0x20])]))
  ),
  compression(
    "RFC 7541, 5.2: a Huffman code with padding of more than 7 bits",
    headers(1, Buffer.concat([get, Buffer.from([0x00, 0x01, 0x78, 0x82, 0x1f, 0xff])]))
  ),
  compression(
    "RFC 7541, 5.2: a Huffman code with the end of string",
    headers(1, Buffer.concat([get, Buffer.from([0x00, 0x01, 0x78, 0x84, 0xff, 0xff, 0xff, 0xff])]))
  ),
  compression("RFC 7541, 6.1: index 0", headers(1, Buffer.concat([get, Buffer.from([0x80])])))
]
