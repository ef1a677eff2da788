/** A web `Request` on the wire. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import * as ReplyStream from "../../Exchange/ReplyStream.ts"
import * as Semantics from "../../Exchange/Semantics.ts"
import type { BodyFailure, Tls, Wire } from "../../Exchange/Wire.ts"

const noCertificate: Tls = { clientCertificate: undefined }

/** One request in memory. */
export class WebWire implements Wire {
  readonly #context: Context.Context<never>
  readonly #cut: Effect.Effect<never>
  readonly method: string
  #onAbort: (() => void) | undefined
  readonly #opened: HttpServerRequest.HttpServerRequest
  readonly #resolve: (response: Response) => void
  readonly #source: Request

  constructor(
    source: Request,
    context: Context.Context<never>,
    /** Dies when the drain ends the streams that still run. */
    cut: Effect.Effect<never>,
    resolve: (response: Response) => void
  ) {
    this.#context = context
    this.#cut = cut
    this.method = source.method
    this.#opened = HttpServerRequest.fromWeb(source)
    this.#resolve = resolve
    this.#source = source
  }

  get onAbort(): (() => void) | undefined {
    return this.#onAbort
  }

  set onAbort(abort: (() => void) | undefined) {
    if (abort !== undefined && this.#onAbort === undefined) {
      const { signal } = this.#source
      if (signal.aborted) queueMicrotask(() => this.#onAbort?.())
      else signal.addEventListener("abort", () => this.#onAbort?.(), { once: true })
    }
    this.#onAbort = abort
  }

  get httpVersion(): undefined {
    return undefined
  }

  get tls(): Tls | undefined {
    return this.#source.url.startsWith("https:") ? noCertificate : undefined
  }

  get remoteAddress(): string | undefined {
    return undefined
  }

  get headers(): Iterable<readonly [string, string]> {
    return this.#source.headers.entries()
  }

  get target(): string {
    return this.#opened.url
  }

  header(name: string): string | undefined {
    // A request in memory has its host in the URL.
    return this.#source.headers.get(name) ?? (name === "host" ? this.#host : undefined)
  }

  get #host(): string {
    return new URL(this.#source.url).host
  }

  body(limit: number, done: (body: BodyFailure | Uint8Array) => void): void {
    const { signal } = this.#source
    let isDone = false
    const end = (result: BodyFailure | Uint8Array) => {
      if (isDone) return
      isDone = true
      signal.removeEventListener("abort", abort)
      done(result)
    }
    const abort = () => end("Aborted")
    signal.addEventListener("abort", abort)
    if (signal.aborted) return abort()
    void readWhole(this.#source, limit).then(end)
  }

  load(then: () => void): void {
    then()
  }

  open(): HttpServerRequest.HttpServerRequest {
    return this.#opened
  }

  send(
    status: number,
    headers: Array<string>,
    body: string | Uint8Array,
    constant: ReadonlyArray<string> = []
  ): void {
    const named = new Headers()
    for (const list of [headers, constant]) {
      for (let i = 0; i < list.length; i += 2) named.append(list[i]!, list[i + 1]!)
    }
    const sent = Semantics.bodyOf(this.method, status)
    if (sent !== "nothing") {
      named.set(
        "content-length",
        String(typeof body === "string" ? new TextEncoder().encode(body).length : body.length)
      )
    }
    this.#resolve(
      // Some statuses take no body at all, not even an empty one.
      new Response(sent === "body" && body.length > 0 ? (body as string) : null, {
        headers: named,
        status
      })
    )
  }

  sendResponse(response: HttpServerResponse.HttpServerResponse, done: () => void): void {
    const withoutBody = Semantics.bodyOf(this.method, response.status) !== "body"
    const isStream = response.body._tag === "Stream" && !withoutBody
    const sent = ReplyStream.map(response, (stream) =>
      stream.pipe(
        Stream.interruptWhen(this.#cut),
        Stream.onExit(() => Effect.sync(done))
      )
    )
    this.#resolve(
      HttpServerResponse.toWeb(sent, {
        context: this.#context,
        signal: this.#source.signal,
        withoutBody
      })
    )
    if (!isStream) queueMicrotask(done)
  }
}

const readWhole = async (source: Request, limit: number): Promise<BodyFailure | Uint8Array> => {
  if (source.body === null) return new Uint8Array(0)
  const chunks: Array<Uint8Array> = []
  let length = 0
  try {
    for await (const chunk of source.body) {
      length += chunk.length
      if (length > limit) return "TooLarge"
      chunks.push(chunk)
    }
  } catch {
    return "Aborted"
  }
  const whole = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}
