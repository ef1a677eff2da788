/** Upstreams in tests: replies that a test writes, or that were recorded. */
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import { HttpClientError, TransportError } from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Config from "../../../Config/index.ts"
import type { Redaction } from "../../../Server/Exchange/Redaction.ts"
import type { Clients } from "../Clients.ts"
import type { Settings } from "../OutgoingConfig.ts"
import { services } from "../OutgoingPlugin.ts"
import * as Transport from "../Transport.ts"
import * as Cassette from "./Cassette.ts"
import { type Asked, askedOf, delayOf, type Exchange, type Reply } from "./Exchange.ts"
import { Replies, UnmatchedRequest } from "./Match.ts"

export { CassetteError } from "./Cassette.ts"
export { type Asked, type Exchange, type Reply } from "./Exchange.ts"
export { UnmatchedRequest } from "./Match.ts"

/** A request that the app sent. */
export interface Sent extends Asked {
  /** The headers, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>
}

/** The options of `make`. */
export interface Options {
  /** The file of recorded exchanges: a URL, or a path. Default: none. */
  readonly cassette?: string | URL | undefined
  /**
   * Whether requests are really sent, and the file is written when the layer is released. Default:
   * `false`.
   */
  readonly record?: boolean | undefined
  /** Names of headers, query parameters and members of JSON whose values are not written. */
  readonly redact?: ReadonlyArray<string> | undefined
  /** Replies besides those of the cassette. They come first. Default: none. */
  readonly replies?: ReadonlyArray<Exchange> | undefined
}

/** The upstreams of a test. */
export interface TestHttpClient {
  /** Takes the place of `Outgoing.plugin`. The limits of the section `outgoing` hold. */
  readonly layer: Layer.Layer<
    Clients | HttpClient.HttpClient,
    Cassette.CassetteError,
    Config.Section<"outgoing", Settings>
  >
  /** Every request that was sent, with each attempt, oldest first. The list grows. */
  readonly requests: ReadonlyArray<Sent>
}

/** The statuses whose replies have no body. */
const bodyless: ReadonlySet<number> = new Set([204, 205, 304])

const toWeb = ({ body, bodyBase64, headers, json, status = 200 }: Reply): Response => {
  const bytes =
    json === undefined
      ? bodyBase64 === undefined
        ? body
        : Buffer.from(bodyBase64, "base64")
      : JSON.stringify(json)
  return new Response(bodyless.has(status) ? null : (bytes ?? null), {
    headers: { ...(json === undefined ? {} : { "content-type": "application/json" }), ...headers },
    status
  })
}

/** Answers requests with replies. */
const playing = (replies: Replies) => (request: HttpClientRequest, asked: Asked) =>
  Effect.suspend(() => {
    const reply = replies.next(asked)
    if (reply instanceof UnmatchedRequest) return Effect.die(reply)
    const { failure } = reply
    return Effect.delay(
      failure === undefined
        ? Effect.sync(() => HttpClientResponse.fromWeb(request, toWeb(reply)))
        : Effect.fail(
            new HttpClientError({
              reason: new TransportError({
                cause: Object.assign(new Error(failure), { code: failure }),
                request
              })
            })
          ),
      delayOf(reply)
    )
  })

/** Sends requests, and keeps their replies without secrets. */
const recording =
  (send: Transport.Transport["client"], exchanges: Array<Exchange>, redaction: Redaction) =>
  (request: HttpClientRequest, asked: Asked) =>
    Effect.scoped(
      Effect.gen(function* () {
        const response = yield* send.execute(request)
        const bytes = new Uint8Array(yield* response.arrayBuffer)
        const { headers, status } = response
        const reply = Cassette.replyOf(status, headers, bytes, redaction)
        exchanges.push({ request: Cassette.redactAsked(asked, redaction), response: reply })
        return HttpClientResponse.fromWeb(
          request,
          new Response(bodyless.has(status) ? null : bytes, { headers, status })
        )
      })
    )

type Answer = (
  request: HttpClientRequest,
  asked: Asked
) => Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError>

/**
 * Creates the upstreams of a test, for `replace` of `TestApp.make`. A request matches by method, URL and
 * body; the order of a query and of the members of JSON does not count. Several replies to one request
 * are given in their order, and the last one again and again.
 *
 * A request without a reply is a defect, whose message lists the nearest requests with one.
 *
 * With `record: true` requests are sent, and the exchanges are written to the cassette without secrets:
 * the values of the fields that the log hides, and of those in `redact`, are replaced.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { App } from "flange"
 * import * as Outgoing from "flange/Outgoing"
 * import { TestHttpClient } from "flange/Outgoing/Testing"
 * import { TestApp } from "flange/Testing"
 *
 * const url = "https://rates.example.com"
 * const app = App.make("shop", [Outgoing.plugin], {
 *   config: { values: { outgoing: { upstreams: { rates: { url } } } } }
 * })
 * const upstreams = TestHttpClient.make({
 *   replies: [{ request: { method: "GET", url: `${url}/EUR` }, response: { json: { rate: 1.1 } } }]
 * })
 * const test = Effect.gen(function* () {
 *   const { run } = yield* TestApp.make(app, { replace: [[Outgoing.plugin, upstreams.layer]] })
 *   const client = yield* run(Outgoing.client("rates"))
 *   const response = yield* client.get("/EUR")
 *   return yield* response.json
 * })
 * await Effect.runPromise(Effect.scoped(test)) // => { rate: 1.1 }
 * ```
 */
export const make = (options: Options = {}): TestHttpClient => {
  const { cassette, record = false, redact = [], replies = [] } = options
  const file = cassette instanceof URL ? fileURLToPath(cassette) : cassette
  const redaction = Cassette.redactionOf(redact)
  const requests: Array<Sent> = []

  const clientOf = (answer: Answer) =>
    HttpClient.withScope(
      HttpClient.make((request, url) => {
        const asked = askedOf(request, url)
        requests.push({ ...asked, headers: { ...request.headers } })
        return answer(request, asked)
      })
    )

  const recorder = (settings: Settings): Effect.Effect<Transport.Transport, never, Scope.Scope> =>
    Effect.gen(function* () {
      const { client, userClient } = yield* Transport.make(settings)
      const exchanges: Array<Exchange> = []
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          if (file !== undefined) Cassette.write(file, exchanges)
        })
      )
      return {
        client: clientOf(recording(client, exchanges, redaction)),
        userClient: clientOf(recording(userClient, exchanges, redaction))
      }
    })

  const player = Effect.gen(function* () {
    const recorded = file === undefined ? [] : yield* Cassette.read(file)
    const client = clientOf(playing(new Replies([...replies, ...recorded], redaction)))
    return { client, userClient: client }
  })

  return {
    layer: Layer.effectContext(services(record ? recorder : () => player)),
    requests
  }
}
