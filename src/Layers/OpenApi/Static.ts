/** A body that never changes while the process lives. */
import * as Effect from "effect/Effect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"

/**
 * A handler that answers with a body made at the first request, or with 304
 * where the client has it already. Source: RFC 9110, sections 8.8.3 and 13.1.2.
 */
export const make = (
  body: Effect.Effect<Uint8Array>,
  options: {
    readonly contentType: string
    readonly headers?: Readonly<Record<string, string>>
  }
) =>
  Effect.map(
    // A client that goes away must not leave its interruption in the cache.
    Effect.cached(Effect.uninterruptible(Effect.flatMap(body, withTag))),
    (cached) =>
      Effect.gen(function* () {
        const { bytes, etag } = yield* cached
        const { headers } = yield* HttpServerRequest
        const common = { "cache-control": "no-cache", etag }
        const known = headers["if-none-match"]?.split(",").some((tag) => weak(tag) === etag)
        if (known === true) return HttpServerResponse.empty({ headers: common, status: 304 })
        return HttpServerResponse.uint8Array(bytes, {
          contentType: options.contentType,
          headers: { ...options.headers, ...common }
        })
      })
  )

/** A proxy that compresses makes a tag weak; for a GET that is the same. */
const weak = (tag: string) => tag.trim().replace(/^W\//, "")

const withTag = (bytes: Uint8Array) =>
  Effect.map(
    Effect.promise(() => crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>)),
    (digest) => ({
      bytes,
      etag: `"${Buffer.from(digest).toString("base64url").slice(0, 22)}"`
    })
  )
