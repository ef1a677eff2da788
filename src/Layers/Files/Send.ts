/** Content as a reply to a request, which may be conditional or ask for a part. */
import * as Effect from "effect/Effect"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Stream from "effect/Stream"
import {
  DownloadPreconditionFailed,
  DownloadRangeNotSatisfiable
} from "../../Contract/FileErrors.ts"
import * as Decision from "./Decision.ts"

/** Content of which parts can be read. */
export interface Content extends Decision.Validators {
  readonly contentType: string
  /** The headers of 200, 206 and 304, beside those of the validators and the content itself. */
  readonly headers: Readonly<Record<string, string>>
  /** Whether parts are sent. */
  readonly isPartial: boolean
  /** Reads bytes from `from` to `to`, both included; without them the whole content. */
  readonly read: (
    part: Decision.Part | undefined
  ) => Effect.Effect<Stream.Stream<Uint8Array, unknown> | Uint8Array>
  /** The length in bytes; undefined if it is not known. */
  readonly size: number | undefined
}

const headersOf = ({ etag, headers, isPartial, lastModified }: Content) => ({
  ...headers,
  ...(isPartial ? { "accept-ranges": "bytes" } : {}),
  ...(etag === undefined ? {} : { etag }),
  ...(lastModified === undefined ? {} : { "last-modified": lastModified.toUTCString() })
})

const outside = (size: number) =>
  Effect.map(
    Effect.orDie(HttpServerRespondable.toResponse(new DownloadRangeNotSatisfiable({ size }))),
    (response) => HttpServerResponse.setHeader(response, "content-range", `bytes */${size}`)
  )

/** Returns the reply. A `HEAD` request reads nothing. */
export const send = (
  header: Decision.Header,
  method: string,
  content: Content
): Effect.Effect<HttpServerResponse.HttpServerResponse, DownloadPreconditionFailed> =>
  Effect.suspend(() => {
    const { contentType, isPartial, size } = content
    const decision = Decision.make(header, method, content, isPartial ? size : undefined)
    if (decision === "changed") return Effect.fail(new DownloadPreconditionFailed())
    if (decision === "outside") return outside(size ?? 0)
    const headers = headersOf(content)
    if (decision === "notModified") {
      return Effect.succeed(HttpServerResponse.empty({ headers, status: 304 }))
    }
    const part = decision === "whole" ? undefined : decision
    const length = part === undefined ? size : part.to - part.from + 1
    const reply = {
      contentType,
      headers:
        part === undefined
          ? headers
          : { ...headers, "content-range": `bytes ${part.from}-${part.to}/${size}` },
      status: part === undefined ? 200 : 206
    }
    return Effect.map(content.read(part), (body) =>
      body instanceof Uint8Array
        ? HttpServerResponse.uint8Array(body, reply)
        : HttpServerResponse.stream(body, {
            ...reply,
            ...(length === undefined ? {} : { contentLength: length })
          })
    )
  })
