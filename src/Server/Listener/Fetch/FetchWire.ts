/** A request of `Bun.serve` or `Deno.serve` on the wire. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import * as ReplyStream from "../../Exchange/ReplyStream.ts"
import * as Semantics from "../../Exchange/Semantics.ts"
import type { Serving } from "../../Exchange/Serving.ts"
import type { WebSocketUpgrade } from "../../Exchange/WebSocketUpgrade.ts"
import type { BodyFailure, Wire } from "../../Exchange/Wire.ts"
import * as HeadRules from "../HeadRules.ts"
import { type Refusal, refusals } from "../Refusal.ts"
import type { Bodies } from "./Bodies.ts"
import type { WebSocket } from "./BoundedWebSocket.ts"
import * as FetchWebSocket from "./FetchWebSocket.ts"
import * as Refused from "./Refused.ts"
import * as ReplyFields from "./ReplyFields.ts"
import type { Answer, Peer, Runtime } from "./Runtime.ts"
import * as UpgradableRequest from "./UpgradableRequest.ts"

/** The state that the requests of a listener share. */
export interface ListenerState {
  readonly bodies: Bodies
  /** Every service of the app, for the streams of replies. */
  readonly context: Context.Context<never>
  /** Dies when the drain ends the streams that still run. */
  readonly cut: Effect.Effect<never>
  isDraining: boolean
  /** The requests whose reply is not there yet. */
  readonly owed: Set<FetchWire>
  readonly runtime: Runtime
  readonly serving: Serving
}

/**
 * The stream of a reply to HEAD. Bun writes a length for a stream that has ended when it writes the head, and
 * Deno keeps a request of HTTP/2 open until the stream ends.
 */
const afterHead = Stream.fromEffectDrain(
  Effect.callback<void>((resume) => {
    const timer = setTimeout(() => resume(Effect.void), 0)
    return Effect.sync(() => clearTimeout(timer))
  })
)

/** The requests that this turn of the event loop has not answered so far. */
const unanswered: Array<FetchWire> = []

/** One request. */
export class FetchWire implements Wire {
  #address: string | undefined
  #answer: Response | undefined
  /** Whether its connection has to end after the reply. */
  #closes = false
  #isAnswered = false
  readonly method: string
  #onAbort: (() => void) | undefined
  onUpgrade: (() => void) | undefined
  readonly #peer: Peer
  #resolve: ((answer: Response | undefined) => void) | undefined
  readonly #source: Request
  readonly #state: ListenerState
  readonly target: string
  #upgraded: WebSocket | undefined

  constructor(state: ListenerState, source: Request, peer: Peer, target: string) {
    this.method = source.method
    this.#peer = peer
    this.#source = source
    this.#state = state
    this.target = target
  }

  /** Returns the reply, or a promise of it if it is not there yet. Call it once, after `serve`. */
  answer(): Answer {
    if (this.#isAnswered) return this.#answer
    this.#state.owed.add(this)
    // Most bodies are there, and their requests are answered before this turn of the event loop ends.
    if (unanswered.push(this) === 1) setImmediate(FetchWire.#waitAll)
    return new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  static readonly #waitAll = () => {
    for (const wire of unanswered.splice(0)) if (!wire.#isAnswered) wire.#wait()
  }

  #wait(): void {
    this.#state.runtime.keepOpen(this.#source, this.#peer)
    // The runtime forgets it with the connection.
    this.#address = this.remoteAddress
  }

  #settle(answer: Response | undefined): void {
    if (this.#isAnswered) return
    this.#isAnswered = true
    this.#answer = answer
    this.#state.owed.delete(this)
    this.#resolve?.(answer)
  }

  get onAbort(): (() => void) | undefined {
    return this.#onAbort
  }

  set onAbort(abort: (() => void) | undefined) {
    if (abort !== undefined && this.#onAbort === undefined) {
      const { signal } = this.#source
      const gone = () => {
        // Deno ends a request that it has upgraded.
        if (this.#upgraded === undefined) this.#onAbort?.()
      }
      if (signal.aborted) queueMicrotask(gone)
      else signal.addEventListener("abort", gone, { once: true })
    }
    this.#onAbort = abort
  }

  get acceptsWebSocket(): boolean {
    return (
      this.header("upgrade")?.toLowerCase() === "websocket" &&
      HeadRules.offersUpgrade({
        header: (name) => this.header(name),
        method: this.method,
        minor: 1
      })
    )
  }

  get httpVersion(): undefined {
    return undefined
  }

  get remoteAddress(): string | undefined {
    return (this.#address ??= this.#state.runtime.addressOf(this.#source, this.#peer))
  }

  get headers(): Iterable<readonly [string, string]> {
    return this.#source.headers.entries()
  }

  header(name: string): string | undefined {
    return this.#source.headers.get(name) ?? undefined
  }

  body(limit: number, done: (body: BodyFailure | Uint8Array) => void): void {
    const end = (body: BodyFailure | Uint8Array) => {
      if (typeof body === "string") this.#closes = true
      done(body)
    }
    this.#state.bodies.read(this.#source, limit, end, () => {
      this.refuse(refusals.Timeout)
    })
  }

  /** Answers with an error, if the exchange has not answered yet. */
  refuse(refusal: Pick<Refusal, "error">): void {
    if (!this.#isAnswered) this.#settle(Refused.reply(refusal, this.#source, this.#state.serving))
  }

  load(then: () => void): void {
    then()
  }

  open(): HttpServerRequest {
    const { runtime } = this.#state
    return UpgradableRequest.make(this.#source, {
      remoteAddress: this.remoteAddress,
      target: this.target,
      upgrade: ({ "sec-websocket-protocol": protocol, ...headers }) => {
        const { response, socket } = runtime.upgrade(this.#source, this.#peer, {
          headers: Object.entries(headers),
          idleTimeout: undefined,
          protocol
        })
        this.#upgraded = socket
        this.onUpgrade?.()
        // A handler that reads gets the error of its socket first.
        socket.addEventListener("close", () => setImmediate(() => this.#onAbort?.()))
        this.#settle(response)
        return socket
      }
    })
  }

  send(
    status: number,
    headers: Array<string>,
    body: string | Uint8Array,
    constant: ReadonlyArray<string> = []
  ): void {
    const part = Semantics.bodyOf(this.method, status)
    let more = this.#more()
    if (part === "length") more = { ...more, "content-length": String(Buffer.byteLength(body)) }
    this.#settle(
      // Some statuses take no body at all, not even an empty one.
      new Response(part === "body" && body.length > 0 ? (body as string) : null, {
        headers: ReplyFields.of(headers, constant, more),
        status
      })
    )
  }

  upgrade(upgrade: WebSocketUpgrade, headers: ReadonlyArray<string>): void {
    const { response, socket } = this.#state.runtime.upgrade(this.#source, this.#peer, {
      headers: [...ReplyFields.pairs(headers)],
      idleTimeout: upgrade.options.idleTimeout,
      protocol: upgrade.protocol
    })
    this.#upgraded = socket
    this.#onAbort = undefined
    FetchWebSocket.attach(upgrade, socket)
    this.#settle(response)
  }

  sendResponse(response: HttpServerResponse.HttpServerResponse, done: () => void): void {
    if (this.#upgraded !== undefined) return queueMicrotask(done)
    const part = Semantics.bodyOf(this.method, response.status)
    const isStream = response.body._tag === "Stream" && part === "body"
    const hasLength =
      response.body._tag !== "Stream" || response.headers["content-length"] !== undefined
    const sent = ReplyStream.map(response, (stream) =>
      isStream
        ? stream.pipe(
            Stream.interruptWhen(this.#state.cut),
            Stream.onExit(() => Effect.sync(done))
          )
        : afterHead
    )
    const { date } = response.headers
    const more = date === undefined ? this.#more() : { ...this.#more(), date }
    // It may be silent for longer than a connection without a request.
    if (isStream) this.#wait()
    this.#settle(
      HttpServerResponse.toWeb(more ? HttpServerResponse.setHeaders(sent, more) : sent, {
        context: this.#state.context,
        signal: this.#source.signal,
        // Without a body and a length, the runtimes write `Content-Length: 0` to HEAD.
        withoutBody: part === "nothing" || (part === "length" && hasLength)
      })
    )
    if (!isStream) queueMicrotask(done)
  }

  /** Returns the headers that neither the exchange nor the runtime writes. */
  #more(): ReplyFields.Fields | undefined {
    const closes = this.#closes || this.#state.isDraining
    const lacksDate = this.method === "HEAD" && this.#state.runtime.omitsDateOfHead
    if (!closes && !lacksDate) return undefined
    return {
      ...(closes && { connection: "close" }),
      ...(lacksDate && { date: new Date().toUTCString() })
    }
  }
}
