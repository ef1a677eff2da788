/** Compresses finished replies. Source: RFC 9110, sections 8.4, 12.5.3 and 12.5.5. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { elements } from "../../Server/Exchange/Semantics.ts"
import * as Annotation from "../../Server/Route/Annotation.ts"
import type { Change, Finished, RouteInfo, Transform } from "../../Server/Route/Middleware.ts"
import * as AcceptEncoding from "./AcceptEncoding.ts"
import type { Coding, CompressionConfig } from "./CompressionConfig.ts"
import { Compressed } from "./Contract.ts"
import * as EntityTag from "./EntityTag.ts"
import * as MediaTypes from "./MediaTypes.ts"
import * as Zlib from "./Zlib.ts"

/** Counts a reply that could be compressed by its coding. */
export type Count = (coding: Coding | "identity") => void

/**
 * The longest body that is compressed while the event loop waits. It takes up to 0.4 ms. The way through
 * the thread pool costs 0.08 ms of processor time more, which is half of the time of a page of 8 kB.
 */
const maxSync = 32 * 1024

/** The longest body that is compressed as a whole. The output of a longer one is not kept in memory. */
const maxWhole = 1024 * 1024

/** The statuses of replies without content, or with a part of one. */
const skipped: ReadonlySet<number> = new Set([204, 205, 206])

/** Headers that describe exactly these bytes. */
const fixing = [
  "content-digest",
  "content-encoding",
  "content-md5",
  "content-range",
  "digest",
  "repr-digest"
]

const varying: Change = { added: ["vary", "Accept-Encoding"] }

/** Returns the function that returns the transform of a route; undefined if it never compresses. */
export const make = (
  { codings, threshold, types }: (typeof CompressionConfig)["Service"],
  count: Count
): ((route: RouteInfo) => Transform | undefined) => {
  const choose = AcceptEncoding.make(codings)
  const isCompressible = MediaTypes.make(types)
  return (route) => {
    const compressed = Annotation.nearest(Compressed, route.endpoint, route.contract)
    if (compressed === false) return undefined
    return (request, reply) => {
      const { body, status } = reply
      if (status === 304) return notModified(reply, request.header("if-none-match"))
      if (body === undefined || skipped.has(status) || isShort(body, threshold)) return undefined
      if (!isCompressible(reply.header("content-type")) || isFixed(reply)) return undefined
      const coding =
        request.hasAmbientCredentials && compressed !== true
          ? undefined
          : choose(request.header("accept-encoding"))
      const unchanged = () => {
        count("identity")
        return varying
      }
      if (coding === undefined) return unchanged()
      const changed = (body: Change["body"]): Change => {
        count(coding)
        return { ...varying, body, set: linesOf(coding, reply) }
      }
      if (Stream.isStream(body)) return changed(Zlib.stream(coding, body))
      if (body.length > maxWhole) return changed(Zlib.stream(coding, piecesOf(body)))
      // A text has at least as many bytes as characters.
      const whole = (bytes: Uint8Array) =>
        bytes.length < body.length ? changed(bytes) : unchanged()
      return body.length <= maxSync
        ? whole(Zlib.sync(coding, body))
        : Effect.map(Zlib.async(coding, body), whole)
    }
  }
}

const isShort = (body: NonNullable<Finished["body"]>, threshold: number): boolean =>
  typeof body === "string"
    ? body.length < threshold && Buffer.byteLength(body) < threshold
    : body instanceof Uint8Array && body.length < threshold

/** Whether the bytes of a reply must stay as they are. */
const isFixed = (reply: Finished): boolean => {
  const cacheControl = reply.header("cache-control")
  return (
    fixing.some((name) => reply.header(name) !== undefined) ||
    (cacheControl !== undefined && elements(cacheControl).includes("no-transform"))
  )
}

/** Returns the change of a 304, whose client may have stored the compressed reply. */
const notModified = (reply: Finished, ifNoneMatch: string | undefined): Change => {
  const tag = reply.header("etag")
  return tag === undefined
    ? varying
    : { ...varying, set: ["etag", EntityTag.known(tag, ifNoneMatch)] }
}

const linesOf = (coding: Coding, reply: Finished): ReadonlyArray<string> => {
  const lines = ["content-encoding", coding]
  const tag = reply.header("etag")
  if (tag !== undefined) lines.push("etag", EntityTag.weak(tag))
  // A part of the compressed form would be cut from the other one.
  if (reply.header("accept-ranges") !== undefined) lines.push("accept-ranges", "none")
  return lines
}

const pieceSize = 64 * 1024

/** Returns a long body in pieces, so that a text has its bytes in memory only in part. */
const piecesOf = (body: string | Uint8Array): Stream.Stream<Uint8Array> =>
  Stream.fromIterable(typeof body === "string" ? texts(body) : [body], { chunkSize: 1 })

function* texts(text: string): Generator<Uint8Array> {
  let at = 0
  while (at < text.length) {
    let end = at + pieceSize
    // Both halves of a surrogate pair are one character.
    if ((text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end++
    yield Buffer.from(text.slice(at, end))
    at = end
  }
}
