/** Takes gzip and deflate off the body of a request. */
import * as Effect from "effect/Effect"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpServerError from "effect/http/HttpServerError"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Response from "effect/http/HttpServerResponse"
import type { BodyFailure } from "./Wire.ts"

/**
 * Runs an effect with a request whose body has no content coding. What comes out
 * is bounded by `MaxBodySize`. An unknown coding is answered with 415.
 */
export const decompressed = HttpMiddleware.decompression()

const read = Response.empty()

/** The whole body of a request without its coding; why there is none; or the reply to send. */
export const bytes = (
  request: HttpServerRequest
): Effect.Effect<BodyFailure | Response.HttpServerResponse | Uint8Array> =>
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
