/** A request of Effect's server whose body has a longest length, also if it is read as a stream. */
import * as Effect from "effect/Effect"
import { HttpServerError, RequestParseError } from "effect/http/HttpServerError"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Stream from "effect/Stream"

/** The clock of a request, which stands still while its body arrives. */
interface Pausable {
  readonly pause: () => void
  readonly resume: () => void
}

/**
 * Returns a request whose `stream` fails with the reason `BodyTooLarge` once more than
 * `limit` bytes are read. Effect limits the other ways to read a body by `MaxBodySize`, and
 * reads a stream without a limit. While the body is read, `time` is paused.
 */
export const make = (
  request: HttpServerRequest,
  limit: number,
  time: Pausable | undefined
): HttpServerRequest => {
  let read = 0
  const paused = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    time === undefined
      ? effect
      : Effect.suspend(() => {
          time.pause()
          return Effect.onExitPrimitive(effect, () => {
            time.resume()
            return undefined
          })
        })
  const pausedStream = <A, E, R>(stream: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
    time === undefined
      ? stream
      : Stream.transformPull(stream, (pull) => Effect.succeed(paused(pull)))
  const counted = (inner: HttpServerRequest): HttpServerRequest =>
    // It inherits all members, and those that read the body another way use Effect's `stream`.
    Object.create(inner, {
      arrayBuffer: { get: () => paused(inner.arrayBuffer) },
      json: { get: () => paused(inner.json) },
      modify: { value: (options: object) => counted(inner.modify(options)) },
      multipart: { get: () => paused(inner.multipart) },
      multipartStream: { get: () => pausedStream(inner.multipartStream) },
      stream: {
        get: () =>
          Stream.mapArrayEffect(pausedStream(inner.stream), (pieces) => {
            for (const { length } of pieces) read += length
            return read > limit ? Effect.fail(tooLarge(inner)) : Effect.succeed(pieces)
          })
      },
      text: { get: () => paused(inner.text) },
      urlParamsBody: { get: () => paused(inner.urlParamsBody) }
    }) as HttpServerRequest
  return counted(request)
}

const tooLarge = (request: HttpServerRequest) =>
  new HttpServerError({ reason: new RequestParseError({ reason: "BodyTooLarge", request }) })
