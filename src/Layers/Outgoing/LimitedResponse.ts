/** A response whose body has a longest length and a time by which it is read. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Cookies from "effect/http/Cookies"
import type * as Headers from "effect/http/Headers"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as UrlParams from "effect/http/UrlParams"
import * as Inspectable from "effect/Inspectable"
import type * as Option from "effect/Option"
import { pipeArguments } from "effect/Pipeable"
import type * as Schema from "effect/Schema"
import type * as Socket from "effect/socket/Socket"
import * as Stream from "effect/Stream"
import { within } from "../../Plugin/Arrivals.ts"
import * as MonotonicClock from "../../Plugin/MonotonicClock.ts"
import { CallRefused, ended, fromClient } from "./Errors.ts"

/** The limits of a body. */
export interface BodyLimits {
  /** How long the reader of a stream waits for the next part. */
  readonly idle: Duration.Duration
  /** Whether `maxBytes` and `until` bound a stream too. */
  readonly isStreamBounded: boolean
  readonly maxBytes: number
  /** Milliseconds of the monotonic clock by which a body that is read into memory has ended. */
  readonly until: number
  readonly upstream: string
}

type Failure = HttpClientError.HttpClientError

/**
 * A response whose body has limits. `onRead` runs when its body begins to be read, and `release` when
 * the body has ended or nobody reads on; it ends a connection whose body has not ended.
 */
export class LimitedResponse
  extends Inspectable.Class
  implements HttpClientResponse.HttpClientResponse
{
  readonly [HttpIncomingMessage.TypeId] = HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId] = HttpClientResponse.TypeId
  #bytes: Effect.Effect<Uint8Array<ArrayBuffer>, Failure> | undefined
  readonly #limits: BodyLimits
  readonly #onRead: () => void
  readonly #original: HttpClientResponse.HttpClientResponse
  readonly #release: Effect.Effect<void>

  constructor(
    original: HttpClientResponse.HttpClientResponse,
    limits: BodyLimits,
    onRead: () => void,
    release: Effect.Effect<void>
  ) {
    super()
    this.#limits = limits
    this.#onRead = onRead
    this.#original = original
    this.#release = release
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, Failure> {
    return Effect.map(this.#read(), ({ buffer }) => buffer)
  }

  get cookies(): Cookies.Cookies {
    return this.#original.cookies
  }

  get formData(): Effect.Effect<FormData, Failure> {
    return Effect.flatMap(this.#read(), (bytes) =>
      this.#decode(() => new Response(bytes, { headers: this.headers }).formData())
    )
  }

  get headers(): Headers.Headers {
    return this.#original.headers
  }

  get json(): Effect.Effect<Schema.Json, Failure> {
    return Effect.flatMap(this.text, (text) =>
      this.#decode(() => (text === "" ? null : (JSON.parse(text) as Schema.Json)))
    )
  }

  get remoteAddress(): Option.Option<string> {
    return this.#original.remoteAddress
  }

  get request(): HttpClientRequest {
    return this.#original.request
  }

  get status(): number {
    return this.#original.status
  }

  get stream(): Stream.Stream<Uint8Array, Failure> {
    return Stream.suspend(() => {
      this.#onRead()
      const { idle, isStreamBounded } = this.#limits
      const late = () =>
        Effect.fail(this.#late(`sent nothing of its body for ${Duration.format(idle)}`))
      const timely = Stream.transformPull(this.#original.stream, (pull) =>
        Effect.succeed(within(idle, late)(pull))
      )
      return Stream.ensuring(
        Stream.mapError(isStreamBounded ? this.#bounded(timely) : timely, fromClient),
        this.#release
      )
    })
  }

  get text(): Effect.Effect<string, Failure> {
    return Effect.map(this.#read(), (bytes) => new TextDecoder().decode(bytes))
  }

  get upgrade(): Effect.Effect<Socket.Socket, Failure> {
    return Effect.suspend(() => {
      this.#onRead()
      return this.#original.upgrade
    })
  }

  get url(): string {
    return this.#original.url
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, Failure> {
    return Effect.flatMap(this.text, (text) =>
      // A leading "?" belongs to the first name; URLSearchParams would drop it.
      this.#decode(() => UrlParams.fromInput(new URLSearchParams(text.replace(/^\?/, "%3F"))))
    )
  }

  pipe() {
    // oxlint-disable-next-line prefer-rest-params -- `pipeArguments` reads them
    return pipeArguments(this, arguments)
  }

  override toJSON(): unknown {
    return this.#original.toJSON()
  }

  #bounded(stream: Stream.Stream<Uint8Array, Failure>): Stream.Stream<Uint8Array, Failure> {
    let read = 0
    return stream.pipe(
      Stream.mapArrayEffect((pieces) => {
        for (const { length } of pieces) read += length
        return read > this.#limits.maxBytes ? Effect.fail(this.#tooLong()) : Effect.succeed(pieces)
      }),
      Stream.interruptWhen(this.#inTime(Effect.never))
    )
  }

  #decode<A>(decode: () => A | PromiseLike<A>): Effect.Effect<A, Failure> {
    return Effect.tryPromise({
      catch: (cause) =>
        new HttpClientError.HttpClientError({
          reason: new HttpClientError.DecodeError({
            cause,
            request: this.request,
            response: this
          })
        }),
      try: async () => decode()
    })
  }

  /** Fails if an effect has not ended in the time of the body. */
  #inTime<A>(effect: Effect.Effect<A, Failure>): Effect.Effect<A, Failure> {
    const late = () => Effect.fail(this.#late("did not end its body in time"))
    return Effect.flatMap(this.#left, (left) => within(left, late)(effect))
  }

  /** Reads a body whose length is not known before. */
  #joined(): Effect.Effect<Uint8Array<ArrayBuffer>, Failure> {
    const pieces: Array<Uint8Array> = []
    return Effect.map(
      Stream.runForEach(this.#bounded(this.#original.stream), (piece) =>
        Effect.sync(() => void pieces.push(piece))
      ),
      () => new Uint8Array(Buffer.concat(pieces))
    )
  }

  #late(detail: string): Failure {
    const { upstream } = this.#limits
    return ended(this, new CallRefused({ detail: `${detail}.`, limit: "timeout", upstream }))
  }

  /** Reads the body into memory, once. */
  #read(): Effect.Effect<Uint8Array<ArrayBuffer>, Failure> {
    this.#bytes ??= Effect.runSync(
      Effect.cached(
        Effect.suspend(() => {
          this.#onRead()
          const declared = Number(this.headers["content-length"] ?? Number.NaN)
          if (declared > this.#limits.maxBytes) return Effect.fail(this.#tooLong())
          return declared >= 0 ? this.#whole() : this.#joined()
        }).pipe(Effect.mapError(fromClient), Effect.ensuring(this.#release))
      )
    )
    return this.#bytes
  }

  /** Succeeds with the milliseconds until the body has to have ended. */
  get #left(): Effect.Effect<Duration.Duration> {
    return Effect.map(MonotonicClock.millis, (now) =>
      Duration.millis(Math.max(0, this.#limits.until - now))
    )
  }

  #tooLong(): Failure {
    const { maxBytes, upstream } = this.#limits
    const key = this.#limits.isStreamBounded ? "outgoing.userUrls.maxResponse" : "maxResponse"
    const detail = `sent a body of more than ${maxBytes} bytes. Read it as a stream, or raise ${key}.`
    return ended(this, new CallRefused({ detail, limit: "size", upstream }))
  }

  /** Reads a body whose length the parser of the connection enforces. */
  #whole(): Effect.Effect<Uint8Array<ArrayBuffer>, Failure> {
    const bytes = Effect.map(this.#original.arrayBuffer, (buffer) => new Uint8Array(buffer))
    return this.#inTime(bytes)
  }
}
