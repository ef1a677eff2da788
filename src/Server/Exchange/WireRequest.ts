/** A request on the wire as an `HttpServerRequest`, made only if code reads it. */
import * as Effect from "effect/Effect"
import * as HttpMethod from "effect/http/HttpMethod"
import * as HttpServerError from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Option from "effect/Option"
import * as Semantics from "./Semantics.ts"
import type { BodyFailure } from "./Wire.ts"

/** A request: its head, and the function that reads its body. */
export interface Message {
  /** Names and values as they were sent: each line is a pair. */
  readonly headers: Iterable<readonly [string, string]>
  readonly method: string
  /** Reads the whole body. May be called several times. */
  readonly read: (done: (body: BodyFailure | Uint8Array) => void) => void
  readonly remoteAddress: string | undefined
  readonly target: string
}

/** Creates the `HttpServerRequest` of a message. */
export const make = (message: Message): HttpServerRequest.HttpServerRequest => {
  const request = HttpServerRequest.fromWeb(
    // `WebRequest` has every member that Effect reads.
    new WebRequest(message) as unknown as Request
  ).modify({ remoteAddress: Option.fromNullishOr(message.remoteAddress), url: message.target })
  const arrayBuffer = Effect.callback<ArrayBuffer, HttpServerError.HttpServerError>((resume) =>
    message.read((body) =>
      resume(
        typeof body === "string"
          ? Effect.fail(
              new HttpServerError.HttpServerError({
                reason: new HttpServerError.RequestParseError({
                  reason: body === "TooLarge" ? "BodyTooLarge" : "Parse",
                  request
                })
              })
            )
          : Effect.succeed(bufferOf(body))
      )
    )
  )
  return Object.defineProperty(request, "arrayBuffer", { value: arrayBuffer })
}

/** The members of a web `Request` that `fromWeb` reads. */
class WebRequest {
  readonly #message: Message
  #body: ReadableStream<Uint8Array> | undefined
  readonly headers: Iterable<readonly [string, string]>
  readonly method: string
  readonly url: string

  constructor(message: Message) {
    this.#message = message
    this.headers = joined(message.headers)
    this.method = message.method
    this.url = message.target
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (!HttpMethod.hasBody(this.method)) return null
    return (this.#body ??= new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const body = await this.#whole()
          if (body.length > 0) controller.enqueue(body)
          controller.close()
        }
      },
      { highWaterMark: 0 }
    ))
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return bufferOf(await this.#whole())
  }

  #whole(): Promise<Uint8Array> {
    return new Promise((resolve, reject) =>
      this.#message.read((body) =>
        typeof body === "string" ? reject(new Error(unreadable[body])) : resolve(body)
      )
    )
  }
}

const unreadable: Readonly<Record<BodyFailure, string>> = {
  Aborted: "The client disconnected while sending its body",
  Fragmented: "The body came in too many small pieces",
  Malformed: "The body is malformed",
  TooLarge: "The body is longer than the route takes"
}

/** Returns a copy: the bytes may be part of a listener's larger buffer. */
const bufferOf = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer

/** Returns each name in lower case with the joined value of its lines. */
const joined = (
  pairs: Iterable<readonly [string, string]>
): Iterable<readonly [string, string]> => {
  const values = new Map<string, string>()
  for (const [raw, value] of pairs) {
    const name = raw.toLowerCase()
    values.set(name, Semantics.joined(name, values.get(name), value))
  }
  return values
}
