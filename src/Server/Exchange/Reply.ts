/** The reply of one exchange: its headers, its transforms, and how it is sent. */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpBody from "effect/http/HttpBody"
import type { PreResponseHandler } from "effect/http/HttpEffect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { Incoming } from "./Before.ts"
import * as ChangedReply from "./ChangedReply.ts"
import { type EncodedReply, statusError, toResponse } from "./EncodedReply.ts"
import * as ErrorBody from "./ErrorBody.ts"
import { logFailure } from "./FailureLog.ts"
import { HeaderChanges } from "./HeaderChanges.ts"
import * as Observers from "./Observers.ts"
import type { Plan } from "./Plan.ts"
import * as Problem from "./Problem.ts"
import * as PushedBody from "./PushedBody.ts"
import * as ReplyHeaders from "./ReplyHeaders.ts"
import * as ReplyStream from "./ReplyStream.ts"
import type { Change, Finished, Transform } from "./ReplyTransform.ts"
import * as Semantics from "./Semantics.ts"
import type { Serving } from "./Serving.ts"
import type { TimedExchange, TimeLimit } from "./TimeLimit.ts"
import * as WebSocketUpgrade from "./WebSocketUpgrade.ts"
import type { Wire } from "./Wire.ts"
import { bytesOf, linesOf, withEncodedLocation, withLines } from "./WireReply.ts"

/** The exchange that a reply belongs to. */
export interface Replying
  extends Incoming, Observers.Observed, Problem.About, Pick<TimedExchange, "alarm" | "elapsed"> {
  code: string | undefined
  /** Tells the middleware that limits the time what exceeded a limit. */
  countExceeded(activity: string): void
  readonly elapsed: () => number
  /** Records an exit, for the finalizers and the span of the request. */
  ended(exit: Exit.Exit<unknown, unknown>): void
  /** Whether a handler runs on the reply before it is sent. */
  readonly hasPreResponseHandler: boolean
  readonly method: string
  readonly plan: Plan
  readonly requestId: string
  /** Called when a reply has begun that may last for hours. */
  rest(): void
  /** Runs an effect in a fiber of the request; calls `done` with its exit. */
  run<A, E>(
    effect: Effect.Effect<A, E, unknown>,
    uninterruptible: boolean,
    done: (exit: Exit.Exit<A, E>) => void
  ): void
  /** The reply has been sent, or its client has gone away. `hasBroken`: its stream failed. */
  sent(status: number, hasBroken: boolean): void
  readonly services: { readonly context: Context.Context<unknown> }
  /** Returns the handler that runs on the reply, once. */
  takePreResponseHandler(): PreResponseHandler | undefined
  readonly target: string
  /** The limit on its time; undefined if no plugin limits the time of the route. */
  readonly time: TimeLimit | undefined
}

/** The members of a wire that send a reply. */
type Sender = Pick<Wire, "acceptsWebSocket" | "push" | "send" | "sendResponse" | "upgrade">

const noLines: ReadonlyArray<string> = []

/** Reset Content: its reply has no content. Source: RFC 9110, section 15.3.6. */
const resetContent = 205

/** The reply of one exchange. It is sent once; a reply that cannot be sent is replaced. */
export class Reply {
  /** Whether the stream of the reply failed. */
  #hasBroken = false
  readonly #exchange: Replying
  /** Headers that are set in front of the handler. */
  readonly headers: HeaderChanges
  /** Whether the reply is sent in place of another one. Transforms that fail or wait are left out then. */
  #isReplacement = false
  /** How many replies in turn could not be sent. */
  #refusals = 0
  /** The body that was sent, or its length; undefined if that is not known. */
  #sent: number | string | Uint8Array | undefined
  readonly #serving: Serving
  readonly #wire: Sender

  constructor(exchange: Replying, serving: Serving, wire: Sender) {
    this.#exchange = exchange
    this.headers = new HeaderChanges(exchange)
    this.#serving = serving
    this.#wire = wire
  }

  /** The bytes of the body that was sent; undefined for a stream whose length is not known. */
  get size(): number | undefined {
    const sent = this.#sent
    if (typeof sent === "string") return Buffer.byteLength(sent)
    return typeof sent === "object" ? sent.length : sent
  }

  /** Sends a value of the contract. */
  send(reply: EncodedReply): void {
    const exchange = this.#exchange
    if (exchange.hasPreResponseHandler || exchange.plan.isOpened || reply.problem !== undefined) {
      return this.sendResponse(toResponse(reply, exchange))
    }
    const { body, contentType, headers, status } = reply
    const own = [...headers]
    if (contentType !== undefined) own.push("content-type", contentType)
    this.#sendBytes(status, own, body)
  }

  /** Runs the pre-response handlers, which see all headers of the reply, and sends the reply. */
  sendResponse(response: HttpServerResponse.HttpServerResponse): void {
    try {
      this.#sendAny(response)
    } catch (defect) {
      // Code of the app may have made an invalid response.
      this.#refused(defect)
    }
  }

  /** Sends the reply that an effect returns in place of another one. */
  replace(effect: Effect.Effect<HttpServerResponse.HttpServerResponse>): void {
    this.#isReplacement = true
    this.#finish(effect)
  }

  /** Sends the reply that an effect returns, or an empty 500 if it fails. */
  #finish(effect: Effect.Effect<HttpServerResponse.HttpServerResponse>): void {
    this.#exchange.run(effect, true, (exit) => {
      if (exit._tag === "Success") this.sendResponse(exit.value)
      else this.#sendEmpty(500)
    })
  }

  /** Sends the reply to a failure of the request. */
  fail(cause: Cause.Cause<unknown>): void {
    const exchange = this.#exchange
    exchange.ended(Exit.failCause(cause))
    if (!Cause.hasInterruptsOnly(cause)) return this.#finish(Problem.fromCause(cause, exchange))
    // The client does not read this reply, but the caller of a web listener waits for one.
    if (Problem.isClientAbort(cause)) return this.#sendEmpty(499)
    this.replace(Problem.interrupted(exchange))
  }

  #sendAny(made: HttpServerResponse.HttpServerResponse): void {
    const exchange = this.#exchange
    if (Problem.isIncomplete(made)) {
      return this.#finish(
        Effect.catchCause(
          // A problem document of the app may be invalid.
          Effect.suspend(() => Problem.complete(made, exchange)),
          (cause) => Problem.fromCause(cause, exchange)
        )
      )
    }
    const document = Problem.documentOf(made)
    const code = document?.["code"]
    exchange.code = typeof code === "string" ? code : undefined
    const isEnveloped = document !== undefined && this.#serving.envelope !== undefined
    const response = isEnveloped ? this.#enveloped(made, document) : made
    const handler = exchange.takePreResponseHandler()
    if (handler !== undefined) {
      const handled = Effect.suspend(() => handler(exchange.request, this.#withHeaders(response)))
      return exchange.run(handled, true, (exit) =>
        exit._tag === "Success"
          ? this.#sendWhole(exit.value)
          : this.#refused(Cause.squash(exit.cause))
      )
    }
    const { plan } = exchange
    const body = plan.isOpened ? undefined : bytesOf(response)
    if (body === undefined) return this.#sendWhole(this.#withHeaders(response))
    const prepared = plan.transforms.length > 0 ? undefined : this.headers.prepared(response)
    if (prepared === undefined) return this.#sendBytes(response.status, linesOf(response), body)
    this.#put(response.status, this.headers.pushTo([]), prepared, body)
  }

  #enveloped(response: HttpServerResponse.HttpServerResponse, document: Problem.Document) {
    const { status } = response
    const failed = { document, request: this.#exchange, status }
    const { contentType, text } = ErrorBody.make(failed, this.#serving)
    return HttpServerResponse.setBody(response, HttpBody.text(text, contentType))
  }

  #withHeaders(
    response: HttpServerResponse.HttpServerResponse
  ): HttpServerResponse.HttpServerResponse {
    return withLines(response, this.headers.merged(ReplyHeaders.fromRecord(response.headers)))
  }

  /** Sends a reply of bytes with its own headers. */
  #sendBytes(status: number, own: Array<string>, body: string | Uint8Array): void {
    if (this.#exchange.plan.transforms.length === 0) {
      return this.#sendLines(status, own, body, this.headers)
    }
    const reply = new ChangedReply.BytesReply(status, own, body, this.headers)
    this.#transform(reply, () => {
      const { body, headers } = reply
      if (typeof body === "string" || body instanceof Uint8Array) {
        return this.#sendLines(status, own, body, headers)
      }
      const empty = HttpServerResponse.empty({ status })
      this.#sendFinal(ChangedReply.responseOf(empty, headers.merged(own), body))
    })
  }

  /** Sends a reply of bytes whose body is final. */
  #sendLines(
    status: number,
    own: Array<string>,
    body: string | Uint8Array,
    headers: HeaderChanges
  ): void {
    if (headers.overlaps(own)) return this.#put(status, headers.merged(own), noLines, body)
    this.#put(status, headers.pushTo(own), this.#exchange.plan.headers, body)
  }

  /** Sends a reply that has all its headers. */
  #sendWhole(whole: HttpServerResponse.HttpServerResponse): void {
    if (this.#exchange.plan.transforms.length === 0) return this.#sendFinal(whole)
    const reply = new ChangedReply.WholeReply(whole)
    this.#transform(reply, () => this.#sendFinal(reply.response))
  }

  /** Makes a change, runs the transforms of the route from index `from` on, then calls `send`. */
  #transform(reply: ChangedReply.Changing, send: () => void, from = 0, change?: Change): void {
    const exchange = this.#exchange
    const { transforms } = exchange.plan
    try {
      if (change !== undefined) reply.change(change)
      for (let i = from; i < transforms.length; i++) {
        const transform = transforms[i]!
        const next = this.#isReplacement
          ? promptly(transform, exchange, reply)
          : transform(exchange, reply)
        if (Effect.isEffect(next)) {
          return exchange.run(next, false, (exit) => {
            if (exit._tag === "Success") return this.#transform(reply, send, i + 1, exit.value)
            this.#isReplacement = true
            this.fail(exit.cause)
          })
        }
        if (next !== undefined) reply.change(next)
      }
      send()
    } catch (defect) {
      this.#refused(defect)
    }
  }

  #sendFinal(whole: HttpServerResponse.HttpServerResponse): void {
    const exchange = this.#exchange
    const { status } = whole
    const upgrade = WebSocketUpgrade.of(whole)
    if (upgrade !== undefined) return this.#upgrade(upgrade, whole)
    try {
      const response = withEncodedLocation(
        status === resetContent && whole.body._tag !== "Empty"
          ? HttpServerResponse.setBody(whole, HttpBody.empty)
          : whole
      )
      const lines = linesOf(response)
      const body = exchange.plan.isOpened ? undefined : bytesOf(response)
      if (body !== undefined) return this.#put(status, lines, noLines, body)
      const problem = ReplyHeaders.errorOf(lines) ?? statusError(status)
      if (problem !== undefined) throw problem
      if (this.#push(response, lines)) {
        this.#tell(status)
        return exchange.rest()
      }
      const logged = ReplyStream.logged((cause) => {
        exchange.ended(Exit.failCause(cause))
        this.#hasBroken = true
        return Effect.provideContext(
          logFailure("The stream of a reply failed", cause),
          exchange.services.context
        )
      })
      if (!this.#hasContent(status) || response.body._tag === "Empty") this.#sent = 0
      else this.#sent = response.body.contentLength
      this.#wire.sendResponse(ReplyStream.map(this.#bounded(response), logged), () =>
        exchange.sent(status, this.#hasBroken)
      )
    } catch (defect) {
      // Code of the app may have made an invalid response.
      return this.#refused(defect)
    }
    this.#tell(status)
  }

  /** Sends a body that is written over time. Returns false if the reply or its listener has none. */
  #push(response: HttpServerResponse.HttpServerResponse, lines: Array<string>): boolean {
    const exchange = this.#exchange
    const { status } = response
    const source = PushedBody.of(response)
    const push = this.#wire.push
    if (source === undefined || push === undefined || exchange.plan.isOpened) return false
    if (!this.#hasContent(status)) return false
    exchange.time?.lift()
    push.call(this.#wire, status, lines, source, () => exchange.sent(status, false))
    return true
  }

  /** Lets the listener upgrade the connection. The exchange ends here. */
  #upgrade(
    upgrade: WebSocketUpgrade.WebSocketUpgrade,
    whole: HttpServerResponse.HttpServerResponse
  ): void {
    try {
      const lines = linesOf(whole)
      const problem = ReplyHeaders.errorOf(lines)
      if (problem !== undefined) throw problem
      if (this.#wire.acceptsWebSocket !== true) {
        throw new TypeError("A handler upgrades a request that is not a handshake of a WebSocket")
      }
      this.#sent = 0
      this.#wire.upgrade!(upgrade, lines)
    } catch (defect) {
      return this.#refused(defect)
    }
    this.#tell(WebSocketUpgrade.status)
    this.#exchange.sent(WebSocketUpgrade.status, false)
  }

  /** Limits how long the stream of a reply is silent, in place of how long it takes. */
  #bounded(response: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse {
    const exchange = this.#exchange
    const rule = exchange.plan.time
    if (rule === undefined || response.body._tag !== "Stream") return response
    exchange.time!.lift()
    return rule.idle === Infinity
      ? response
      : ReplyStream.map(
          response,
          ReplyStream.notIdle(exchange, rule.idle, () =>
            exchange.countExceeded("stream of the reply")
          )
        )
  }

  #put(
    status: number,
    lines: Array<string>,
    constant: ReadonlyArray<string>,
    body: string | Uint8Array
  ): void {
    try {
      const problem = statusError(status)
      if (problem !== undefined) throw problem
      ReplyHeaders.encodeLocation(lines)
      const sent = status === resetContent ? "" : body
      this.#sent = this.#hasContent(status) ? sent : 0
      this.#wire.send(status, lines, sent, constant)
    } catch (defect) {
      return this.#refused(defect)
    }
    this.#tell(status)
    this.#exchange.sent(status, this.#hasBroken)
  }

  /**
   * Sends a 500 in place of a reply that cannot be sent, such as one with a line break in a
   * header. The second time it is empty: transforms may have made both invalid.
   */
  #refused(defect: unknown): void {
    this.#isReplacement = true
    this.headers.removeInvalid()
    this.#refusals++
    if (this.#refusals === 1) return this.fail(Cause.die(defect))
    if (this.#refusals === 2) return this.#sendEmpty(500)
    // The empty reply could not be sent either.
    this.#tell(500)
    this.#exchange.sent(500, this.#hasBroken)
  }

  /** Sends a reply that nobody reads, or one in place of a reply that cannot be made. */
  #sendEmpty(status: number): void {
    this.#sendFinal(HttpServerResponse.empty({ status }))
  }

  #hasContent(status: number): boolean {
    return Semantics.bodyOf(this.#exchange.method, status) === "body"
  }

  /** Calls the observers. */
  #tell(status: number): void {
    const exchange = this.#exchange
    const { context } = this.#serving
    Observers.tell(exchange.plan.observers, exchange, status, context as Context.Context<never>)
  }
}

/** Returns the change of a transform; undefined if it fails or has to be waited for. */
const promptly = (transform: Transform, request: Incoming, reply: Finished): Change | undefined => {
  try {
    const change = transform(request, reply)
    if (!Effect.isEffect(change)) return change
    // The value of an exit has the type of its effect.
    const exit = change as Effect.Effect<Change | undefined> | Exit.Exit<Change | undefined>
    return Exit.isExit(exit) && exit._tag === "Success" ? exit.value : undefined
  } catch {
    return undefined
  }
}
