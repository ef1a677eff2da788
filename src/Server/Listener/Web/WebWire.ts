/** A web `Request` on the compiled lane. */
import type * as Context from "effect/Context"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { BodyFailure, Wire } from "../../Exchange/Wire.ts"

/** One request in memory. */
export class WebWire implements Wire {
  readonly #context: Context.Context<never>
  readonly method: string
  #onAbort: (() => void) | undefined
  readonly #resolve: (response: Response) => void
  readonly #source: Request
  readonly target: string

  constructor(
    source: Request,
    context: Context.Context<never>,
    resolve: (response: Response) => void
  ) {
    this.#context = context
    this.method = source.method
    this.#resolve = resolve
    this.#source = source
    this.target = HttpServerRequest.fromWeb(source).url
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

  get remoteAddress(): string | undefined {
    return undefined
  }

  get headers(): Iterable<readonly [string, string]> {
    return this.#source.headers.entries()
  }

  header(name: string): string | undefined {
    return this.#source.headers.get(name) ?? undefined
  }

  body(limit: number, done: (body: BodyFailure | Uint8Array) => void): void {
    readWhole(this.#source, limit).then(done)
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
    const without = status === 204 || status === 304
    if (!without) {
      named.set(
        "content-length",
        String(typeof body === "string" ? new TextEncoder().encode(body).length : body.length)
      )
    }
    this.#resolve(
      new Response(without || this.method === "HEAD" ? null : (body as string), {
        headers: named,
        status
      })
    )
  }

  sendResponse(response: HttpServerResponse.HttpServerResponse): void {
    this.#resolve(
      HttpServerResponse.toWeb(response, {
        context: this.#context,
        signal: this.#source.signal,
        withoutBody: this.method === "HEAD"
      })
    )
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
