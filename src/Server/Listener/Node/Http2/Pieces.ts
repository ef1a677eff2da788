/** Long bodies in pieces, so that it shows whether a client reads them. */
import type { ServerHttp2Stream } from "node:http2"

/** The length of a piece, in bytes: that of the longest frame by default. */
const length = 16 * 1024

/** Whether a body has more than one piece. */
export const isLong = (body: string | Uint8Array): boolean => body.length > length

/** Writes a body piece by piece. Returns whether the stream takes more at once. */
export const write = (stream: ServerHttp2Stream, body: string | Uint8Array): boolean => {
  const bytes = typeof body === "string" ? Buffer.from(body) : body
  // With it, Node would write all pieces that wait as one, and count them when the last is sent.
  // The type has no undefined.
  stream._writev = undefined as unknown as NonNullable<typeof stream._writev>
  let takesMore = true
  for (let at = 0; at < bytes.length; at += length) {
    takesMore = stream.write(bytes.subarray(at, at + length))
  }
  return takesMore
}
