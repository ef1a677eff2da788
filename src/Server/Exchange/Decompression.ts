/** Decodes the content coding of a request's body: gzip and deflate. */
import * as Effect from "effect/Effect"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpServerError from "effect/http/HttpServerError"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { BodyFailure } from "./Wire.ts"

/**
 * Runs an effect with a request whose body has no content coding. `MaxBodySize` limits
 * the decoded body. An unknown coding is answered with 415.
 */
export const decompressed = HttpMiddleware.decompression()

const read = HttpServerResponse.empty()

/** Returns the whole decoded body of a request, why it could not be read, or the reply to send. */
export const bytes = (
  request: HttpServerRequest
): Effect.Effect<BodyFailure | HttpServerResponse.HttpServerResponse | Uint8Array> =>
  Effect.suspend(() => {
    let body: Uint8Array | undefined
    return Effect.flatMap(HttpServerRequest, ({ arrayBuffer }) => arrayBuffer).pipe(
      Effect.map((buffer) => {
        body = new Uint8Array(buffer)
        return read
      }),
      decompressed,
      Effect.provideService(HttpServerRequest, request),
      Effect.match({
        onFailure: (error): BodyFailure =>
          HttpServerError.isHttpServerError(error) &&
          error.reason._tag === "RequestParseError" &&
          error.reason.reason === "BodyTooLarge"
            ? "TooLarge"
            : "Malformed",
        onSuccess: (response) => body ?? response
      })
    )
  })
