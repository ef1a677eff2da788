/** Replies that a client saves, or shows, as a file. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import type { DownloadPreconditionFailed } from "../../Contract/FileErrors.ts"
import * as ContentDisposition from "../../Server/Exchange/ContentDisposition.ts"
import type { Part } from "./Decision.ts"
import { send } from "./Send.ts"

/** Content of which any part can be read. */
export interface Source<out E = never, out R = never> {
  /** Reads bytes from `from` to `to`, both included. */
  readonly read: (part: Part) => Stream.Stream<Uint8Array, E, R>
  /** The length in bytes. */
  readonly size: number
}

/** How a download is named and described. */
export interface DownloadOptions {
  /** The media type. The default is `application/octet-stream`. */
  readonly contentType?: string | undefined
  /** An entity tag with its quotes. It has to change with the content. */
  readonly etag?: string | undefined
  /** The name for saving. Any text may be given: of a path only the last part is used. */
  readonly filename?: string | undefined
  /** Whether a browser shows the content and does not save it. The default is false. */
  readonly inline?: boolean | undefined
  /** When the content last changed. */
  readonly lastModified?: Date | undefined
  /** The length of a stream in bytes, if it is known. */
  readonly length?: number | undefined
}

const etagForm = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/

const typeForm = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:[\t ]*;[\t\x20-\x7e]*)?$/

/** Throws if an option cannot be sent. */
const check = ({ contentType, etag, lastModified, length }: DownloadOptions): void => {
  if (contentType !== undefined && !typeForm.test(contentType)) {
    throw new TypeError(
      `The contentType ${JSON.stringify(contentType)} is no media type. Write one such as "text/csv".`
    )
  }
  if (etag !== undefined && !etagForm.test(etag)) {
    throw new TypeError(
      `The etag ${JSON.stringify(etag)} is no entity tag. Write it with its quotes, such as '"7"'.`
    )
  }
  if (lastModified !== undefined && Number.isNaN(lastModified.getTime())) {
    throw new TypeError(
      "The lastModified of a download is no time. Leave it out if it is not known."
    )
  }
  if (length !== undefined && !(Number.isSafeInteger(length) && length >= 0)) {
    throw new TypeError(
      `The length ${length} is no number of bytes. Leave it out if it is not known.`
    )
  }
}

/** Lets a stream fail that brings more or less than it was said to: a reply must not look whole. */
const exactly =
  (length: number) =>
  <E>(stream: Stream.Stream<Uint8Array, E>): Stream.Stream<Uint8Array, E> =>
    Stream.suspend(() => {
      let done = 0
      const wrong = () =>
        Effect.die(
          new Error(
            `A download was said to have ${length} bytes, and its stream has brought ${done > length ? "more" : done}. Correct the length, or leave it out.`
          )
        )
      return Stream.concat(
        Stream.mapArrayEffect(stream, (pieces) => {
          for (const piece of pieces) done += piece.length
          return done > length ? wrong() : Effect.succeed(pieces)
        }),
        Stream.suspend(() => (done === length ? Stream.empty : Stream.fromEffectDrain(wrong())))
      )
    })

const isSource = <E, R>(
  content: Source<E, R> | Stream.Stream<Uint8Array, E, R>
): content is Source<E, R> => !Stream.isStream(content)

/**
 * Answers a request with content that the client saves as a file. A stream is sent as fast as the client reads, and
 * interrupted when the client leaves. If it fails, or does not have its `length`, the connection is cut: no client
 * takes a part for the whole.
 *
 * Conditional requests are answered if `etag` or `lastModified` is given. A `Source` is also sent in parts: one range
 * of bytes. The endpoint declares `downloadErrors` of `flange/Files/Contract`, and the success
 * `HttpApiSchema.StreamUint8Array()`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpServerRequest from "effect/http/HttpServerRequest"
 * import * as Stream from "effect/Stream"
 * import * as Files from "flange/Files"
 *
 * const rows = Stream.encodeText(Stream.make("name\n", "Ada\n"))
 * const reply = Files.download(rows, { contentType: "text/csv", filename: "people.csv" })
 *
 * const request = HttpServerRequest.fromWeb(new Request("http://app/people"))
 * const { headers } = await Effect.runPromise(
 *   Effect.provideService(reply, HttpServerRequest.HttpServerRequest, request)
 * )
 * headers["content-disposition"] // => 'attachment; filename="people.csv"'
 * ```
 */
export const download = <E, R>(
  content: Source<E, R> | Stream.Stream<Uint8Array, E, R>,
  options: DownloadOptions = {}
): Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  DownloadPreconditionFailed,
  HttpServerRequest.HttpServerRequest | R
> =>
  Effect.gen(function* () {
    const size = isSource(content) ? content.size : options.length
    yield* Effect.sync(() => check({ ...options, length: size }))
    const { contentType = "application/octet-stream", etag, filename = "", lastModified } = options
    const context: Context.Context<R> = yield* Effect.context<R>()
    const { headers, method } = yield* HttpServerRequest.HttpServerRequest
    const { inline = false } = options
    const disposition = inline ? ContentDisposition.inline : ContentDisposition.attachment
    const stream = (part: Part | undefined): Stream.Stream<Uint8Array, E> => {
      if (!isSource(content)) {
        const whole = Stream.provideContext(content, context)
        return size === undefined ? whole : exactly(size)(whole)
      }
      if (content.size === 0) return Stream.empty
      const { from, to } = part ?? { from: 0, to: content.size - 1 }
      return exactly(to - from + 1)(Stream.provideContext(content.read({ from, to }), context))
    }
    return yield* send((name) => headers[name], method, {
      contentType,
      etag,
      headers: {
        "content-disposition": disposition(filename),
        "x-content-type-options": "nosniff"
      },
      isPartial: isSource(content),
      lastModified,
      read: (part) => Effect.succeed(method === "HEAD" ? Stream.empty : stream(part)),
      size
    })
  })
