/** The streams in the bodies of replies. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import type { TimedExchange } from "./TimeLimit.ts"

type Bytes = Stream.Stream<Uint8Array, unknown>

/** Changes the stream in the body of a reply. A reply without a stream stays as it is. */
export const map = (
  response: HttpServerResponse.HttpServerResponse,
  change: (stream: Bytes) => Bytes
): HttpServerResponse.HttpServerResponse => {
  const { body, headers } = response
  if (body._tag !== "Stream") return response
  const { contentLength, contentType, stream } = body
  const changed = HttpServerResponse.setHeaders(
    HttpServerResponse.setBody(
      response,
      HttpBody.stream(change(stream), contentType, contentLength)
    ),
    headers
  )
  // `setBody` adds the type of the body, also an empty one.
  return "content-type" in headers
    ? changed
    : HttpServerResponse.removeHeader(changed, "content-type")
}

/**
 * Runs `log` with the cause of a failing stream, and ends the stream with another error.
 * Effect's server reads the error of a stream, and reading a value that user code has
 * thrown may throw too.
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

/**
 * Lets a stream fail that makes its reader wait longer than `limit` milliseconds. Time in which the client
 * is slower than the stream does not count. `onIdle` is called before it fails.
 */
export const notIdle =
  (exchange: Pick<TimedExchange, "alarm" | "elapsed">, limit: number, onIdle: () => void) =>
  (stream: Bytes): Bytes =>
    Stream.suspend(() => {
      /** When the reader began to wait; undefined if it does not. */
      let since: number | undefined
      const silence = Effect.callback<never, Error>((resume) => {
        let stop = () => {}
        const watch = (): void => {
          const now = exchange.elapsed()
          if (since === undefined || now < since + limit) {
            stop = exchange.alarm((since ?? now) + limit, watch)
          } else {
            onIdle()
            resume(Effect.fail(idle(limit)))
          }
        }
        watch()
        return Effect.sync(() => stop())
      })
      return Stream.transformPull(stream, (pull) =>
        Effect.succeed(
          Effect.suspend(() => {
            since = exchange.elapsed()
            return Effect.onExitPrimitive(pull, () => {
              since = undefined
              return undefined
            })
          })
        )
      ).pipe(Stream.interruptWhen(silence))
    })

const idle = (limit: number): Error =>
  new Error(
    `The stream of the reply sent nothing for ${Duration.format(Duration.millis(limit))}, so it was ended. Send something more often, or give the endpoint a longer IdleTimeout.`
  )
