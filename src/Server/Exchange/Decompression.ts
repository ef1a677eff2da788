/** Decodes the content coding of a request's body: gzip and deflate. */
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpServerError from "effect/http/HttpServerError"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Semantics from "./Semantics.ts"
import type { BodyFailure } from "./Wire.ts"

const decode = HttpMiddleware.decompression()

/**
 * Runs an effect with a request whose body has no content coding. `MaxBodySize` limits
 * the decoded body. An unknown coding, and more than one, is answered with 415.
 */
export const decompressed = <E, R>(
  effect: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
): Effect.Effect<HttpServerResponse.HttpServerResponse, E, HttpServerRequest | R> => {
  const decoded = decode(effect)
  return Effect.flatMap(HttpServerRequest, (request) => {
    const codings = codingsOf(request.headers["content-encoding"])
    if (codings.length > 1) return Effect.succeed(unsupported)
    return codings[0] === "x-gzip"
      ? Effect.provideService(decoded, HttpServerRequest, withCoding(request, "gzip"))
      : decoded
  })
}

/** Returns the codings of a body, in lower case. */
const codingsOf = (header: string | undefined): ReadonlyArray<string> =>
  header === undefined
    ? []
    : Semantics.elements(header).filter((coding) => coding !== "" && coding !== "identity")

const withCoding = (request: HttpServerRequest, coding: string): HttpServerRequest =>
  request.modify({ headers: Headers.set(request.headers, "content-encoding", coding) })

const unsupported = HttpServerResponse.empty({
  headers: { "accept-encoding": "gzip, deflate" },
  status: 415
})

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
