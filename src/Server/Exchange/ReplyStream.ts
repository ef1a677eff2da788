/** The stream in the body of a reply. */
import * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"

type Bytes = Stream.Stream<Uint8Array, unknown>

/** A reply with another stream in its body; a reply without a stream stays as it is. */
export const map = (
  response: HttpServerResponse.HttpServerResponse,
  change: (stream: Bytes) => Bytes
): HttpServerResponse.HttpServerResponse => {
  const { body } = response
  if (body._tag !== "Stream") return response
  const { contentLength, contentType, stream } = body
  return HttpServerResponse.setHeaders(
    HttpServerResponse.setBody(
      response,
      HttpBody.stream(change(stream), contentType, contentLength)
    ),
    response.headers
  )
}

/**
 * Runs `log` with what a stream fails with, and ends the stream with an error that
 * shows nothing of it: the server looks at what a stream fails with, and a value
 * that was thrown may itself throw when it is looked at.
 */
export const logged =
  (log: (cause: Cause.Cause<unknown>) => Effect.Effect<void>) =>
  (stream: Bytes): Bytes =>
    Stream.catchCause(stream, (cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Stream.failCause(cause)
        : Stream.concat(Stream.fromEffectDrain(log(cause)), Stream.die(new Error(failed)))
    )

const failed = "The stream of the reply failed; the log has the cause"
