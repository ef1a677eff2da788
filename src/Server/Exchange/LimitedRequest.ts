/** A request of Effect's server whose body has a longest length, also if it is read as a stream. */
import * as Effect from "effect/Effect"
import { HttpServerError, RequestParseError } from "effect/http/HttpServerError"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Stream from "effect/Stream"

/**
 * Returns a request whose `stream` fails with the reason `BodyTooLarge` once more than
 * `limit` bytes are read. Effect limits the other ways to read a body by `MaxBodySize`, and
 * reads a stream without a limit.
 */
export const make = (request: HttpServerRequest, limit: number): HttpServerRequest => {
  let read = 0
  const counted = (inner: HttpServerRequest): HttpServerRequest =>
    // It inherits all members, and those that read the body another way use Effect's `stream`.
    Object.create(inner, {
      modify: { value: (options: object) => counted(inner.modify(options)) },
      multipart: { get: () => inner.multipart },
      multipartStream: { get: () => inner.multipartStream },
      stream: {
        get: () =>
          Stream.mapArrayEffect(inner.stream, (pieces) => {
            for (const { length } of pieces) read += length
            return read > limit ? Effect.fail(tooLarge(inner)) : Effect.succeed(pieces)
          })
      }
    }) as HttpServerRequest
  return counted(request)
}

const tooLarge = (request: HttpServerRequest) =>
  new HttpServerError({ reason: new RequestParseError({ reason: "BodyTooLarge", request }) })
