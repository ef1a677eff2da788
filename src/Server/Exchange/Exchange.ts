/** One request and its reply: its services, the fibers it runs in, and its end. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpBody from "effect/http/HttpBody"
import type { PreResponseHandler } from "effect/http/HttpEffect"
import * as HttpMethod from "effect/http/HttpMethod"
import { ClientAbort } from "effect/http/HttpServerError"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import type { AnySpan, Span } from "effect/Tracer"
import type { TimeSpent } from "../../Plugin/Deadline.ts"
import type { Incoming } from "./Before.ts"
import * as Decompression from "./Decompression.ts"
import { type EncodedReply, statusError, toResponse } from "./EncodedReply.ts"
import * as ErrorBody from "./ErrorBody.ts"
import { logFailure } from "./FailureLog.ts"
import * as LimitedRequest from "./LimitedRequest.ts"
import * as Observers from "./Observers.ts"
import type { Match, Plan } from "./Plan.ts"
import * as PreparedReply from "./PreparedReply.ts"
import * as Problem from "./Problem.ts"
import * as ReplyHeaders from "./ReplyHeaders.ts"
import * as ReplyStream from "./ReplyStream.ts"
import * as ReplyTransform from "./ReplyTransform.ts"
import * as RequestFields from "./RequestFields.ts"
import * as RequestId from "./RequestId.ts"
import { RequestTrace } from "./RequestTrace.ts"
import * as Semantics from "./Semantics.ts"
import { exchangeKey, Services, type ServicesOwner } from "./Services.ts"
import type { Serving } from "./Serving.ts"
import * as SetCookie from "./SetCookie.ts"
import { type Report, type TimedExchange, TimeLimit } from "./TimeLimit.ts"
import * as TimeoutReply from "./TimeoutReply.ts"
import type { BodyFailure, Tls, Wire } from "./Wire.ts"
import { bytesOf, linesOf, withEncodedLocation, withLines } from "./WireReply.ts"
import * as WireRequest from "./WireRequest.ts"

interface RequestState {
  readonly loggerDisabled: boolean
  preResponseHandler: PreResponseHandler | undefined
}

// Nothing is ever added to it.
const none: Array<string> = []

/** Reset Content: its reply has no content. Source: RFC 9110, section 15.3.6. */
const resetContent = 205

/** One request and its reply. */
export class Exchange implements Incoming, Observers.Observed, ServicesOwner, TimedExchange {
  /** The body, why it could not be read, or the reply to send; undefined before it is read. */
  body: BodyFailure | HttpServerResponse.HttpServerResponse | Uint8Array | undefined
  code: string | undefined
  /** Calls the user's handler. Effect's own handler passes the request that it has decoded. */
  handle: ((request: object) => Effect.Effect<unknown, unknown, unknown>) | undefined
  hasAmbientCredentials = false
  readonly match: Match
  readonly plan: Plan
  /** Headers that were added to the reply in front of the handler, names and values in turn. */
  #added: Array<string> = none
  #fields: RequestFields.Fields | undefined
  /** Headers of the reply that were set in front of the handler, names and values in turn. */
  #headers: Array<string> = none
  /** The exit of the handler, for the finalizers of the request. */
  #exit: Exit.Exit<unknown, unknown> = Exit.void
  /** Whether the stream of the reply failed. */
  #hasBroken = false
  /** Whether the reply was sent before the fiber of the request has ended. */
  #isAhead = false
  #isOver = false
  /** Whether the reply is sent without the transforms of the route. */
  #isPlain = false
  /** Whether the handler has begun to wait. */
  #isHandling = false
  /** How many replies in turn could not be sent. */
  #refusals = 0
  /** Whether two of these headers have one name, or one has a name that every reply has. */
  #overlap = false
  /** Callbacks that wait for the body. */
  #onBody: Array<() => void> | undefined
  #request: HttpServerRequest | undefined
  #requestId: string | undefined
  #scope: Scope.Closeable | undefined
  /** The body that was sent, or its length; undefined if that is not known. */
  #sent: number | string | Uint8Array | undefined
  #services: Services | undefined
  readonly #serving: Serving
  readonly #start: number
  #state: RequestState | undefined
  #time: TimeLimit | undefined
  #trace: RequestTrace | undefined
  readonly #wire: Wire

  constructor(serving: Serving, wire: Wire, plan: Plan, match: Match) {
    this.#serving = serving
    this.#wire = wire
    this.plan = plan
    this.match = match
    this.#start = plan.observers.length === 0 && plan.time === undefined ? 0 : serving.elapsed()
    serving.begin()
    plan.open++
    const { rules, tracer } = serving
    if (tracer !== undefined) {
      if (!plan.isBare) this.#trace = new RequestTrace(this, serving, tracer)
      // Sampling may have looked up services, and they did not have the trace.
      this.#services = undefined
    }
    if (!rules.isEmpty) this.#level(rules)
  }

  /** Sets the log level of the route for the request. */
  #level(rules: Serving["rules"]): void {
    const level = rules.forRoute(this.plan.route, this.plan.plugin)
    if (level !== undefined) this.provide(References.MinimumLogLevel, level)
  }

  // Its time.

  get activity(): string {
    return this.#isHandling ? "handler" : "middleware"
  }

  get deadline(): number | undefined {
    return this.time?.deadline
  }

  /** The limit on its time; undefined if no plugin limits the time of the route. */
  get time(): TimeLimit | undefined {
    const rule = this.plan.time
    return rule && (this.#time ??= new TimeLimit(this, rule.limit))
  }

  get timeSpent(): TimeSpent | undefined {
    return this.time?.spent
  }

  alarm(at: number, ring: () => void): () => void {
    return this.#serving.alarm(this.#start + at, ring)
  }

  exceeded(report: Report, cause: Cause.Cause<unknown> | undefined): void {
    this.plan.time!.exceeded(report.activity)
    this.#isAhead = cause === undefined
    this.#exit = Exit.failCause(cause ?? Cause.interrupt())
    this.leave(this.#exit)
    this.#finish(TimeoutReply.make(report, cause, this))
  }

  settled(exit: Exit.Exit<unknown, unknown>): void {
    this.#exit = exit
    this.#isAhead = false
    if (this.#isOver) this.#release()
  }

  // The request.

  get fields(): RequestFields.Fields {
    return (this.#fields ??= RequestFields.make())
  }

  get bodyLimit(): number {
    return this.plan.bodyLimit
  }

  get endpoint(): string | undefined {
    return this.plan.endpoint
  }

  get hasBody(): boolean {
    return HttpMethod.hasBody(this.#wire.method)
  }

  get headers(): Iterable<readonly [string, string]> {
    return this.#wire.headers
  }

  get httpVersion(): string | undefined {
    return this.#wire.httpVersion
  }

  get method(): string {
    return this.#wire.method
  }

  /** The parent of the spans that its fibers start. */
  get parentSpan(): AnySpan | undefined {
    return this.#trace?.parent
  }

  get params(): Match["params"] {
    return this.match.params
  }

  get peer(): string | undefined {
    return this.#wire.remoteAddress
  }

  get request(): HttpServerRequest {
    return (this.#request ??= this.plan.isOpened
      ? this.#opened()
      : this.#requestReading((done) =>
          this.readBody(() =>
            done(HttpServerResponse.isHttpServerResponse(this.body) ? "Malformed" : this.body!)
          )
        ))
  }

  get requestId(): string {
    return (this.#requestId ??= RequestId.fromHeader(this.#wire.header(RequestId.header)))
  }

  get requestSize(): number | undefined {
    if (!this.hasBody) return undefined
    const length = Number(this.header("content-length"))
    if (Number.isSafeInteger(length)) return length
    // A body that was decoded has another size than the one that came.
    return this.body instanceof Uint8Array && this.header("content-encoding") === undefined
      ? this.body.length
      : undefined
  }

  get responseSize(): number | undefined {
    const sent = this.#sent
    if (typeof sent === "string") return Buffer.byteLength(sent)
    return typeof sent === "object" ? sent.length : sent
  }

  get scope(): Scope.Scope {
    if (this.#scope === undefined) {
      this.#scope = Scope.makeUnsafe()
      // A fiber may outlive the request. What it acquires then is released at once.
      if (this.#isOver) Scope.closeUnsafe(this.#scope, this.#exit)
    }
    return this.#scope
  }

  get searchParams(): Match["searchParams"] {
    return this.match.searchParams
  }

  get services(): Services {
    if (this.#services === undefined) {
      const { context, tracer, unsampled } = this.#serving
      // A bare route has no trace.
      const own = tracer === undefined ? context : (this.#trace?.context ?? unsampled)
      this.#services = new Services(this, own)
    }
    return this.#services
  }

  get state(): RequestState {
    return (this.#state ??= { loggerDisabled: false, preResponseHandler: undefined })
  }

  get target(): string {
    return this.#wire.target
  }

  get tls(): Tls | undefined {
    return this.#wire.tls
  }

  get trace(): AnySpan | undefined {
    return this.#trace?.place
  }

  annotate(fields: Readonly<RequestFields.Fields>): void {
    Object.assign(this.fields, fields)
    this.#trace?.annotate(fields)
  }

  elapsed(): number {
    return this.#serving.elapsed() - this.#start
  }

  find<I, S>(key: Context.Key<I, S>): S | undefined {
    // The service under a key has the key's type.
    return this.services.get(key.key) as S | undefined
  }

  get<S>(reference: Context.Reference<S>): S {
    return this.services.has(reference.key)
      ? (this.services.get(reference.key) as S)
      : Context.get(Context.empty(), reference)
  }

  header(name: string): string | undefined {
    return this.#wire.header(name)
  }

  now(): number {
    return this.#serving.now()
  }

  provide<I, S>(key: Context.Key<I, S>, service: S): void {
    this.services.set(key.key, service)
  }

  appendHeader(field: string, value: string): void {
    const name = field.toLowerCase()
    if (ReplyHeaders.isFraming(name) || name === RequestId.header) return
    this.#overlap ||= name === "content-type" || (name !== "set-cookie" && this.#has(name))
    if (this.#added === none) this.#added = []
    this.#added.push(name, value)
  }

  setCookie(name: string, value: string, options?: SetCookie.Options): void {
    this.appendHeader("set-cookie", SetCookie.header(name, value, options))
  }

  setHeader(field: string, value: string): void {
    const name = field.toLowerCase()
    if (name === "set-cookie" || name === "vary") return this.appendHeader(name, value)
    if (ReplyHeaders.isFraming(name)) return
    this.#overlap ||= name === "content-type" || name === RequestId.header || this.#has(name)
    if (this.#headers === none) this.#headers = []
    this.#headers.push(name, value)
  }

  /** Checks whether the reply has a header of this name already. */
  #has(name: string): boolean {
    return (
      this.plan.constant.has(name) || this.#added.includes(name) || this.#headers.includes(name)
    )
  }

  /** Reads the whole body, without its content coding, and calls back once it is there. */
  readBody(done: () => void): void {
    if (this.body !== undefined) return done()
    if (this.#onBody !== undefined) {
      this.#onBody.push(done)
      return
    }
    const waiting = (this.#onBody = [done])
    const { time } = this
    time?.pause()
    const come = (body: NonNullable<Exchange["body"]>) => {
      this.body = body
      time?.resume()
      for (const each of waiting) each()
    }
    const read: WireRequest.Message["read"] = (done) => this.#wire.body(this.bodyLimit, done)
    if (this.#wire.header("content-encoding") === undefined) return read(come)
    // The decoder reports any failure to read as content that it cannot decode.
    let failure: BodyFailure | undefined
    const raw = this.#requestReading((done) =>
      read((body) => {
        if (typeof body === "string") failure = body
        done(body)
      })
    )
    this.run(Decompression.bytes(raw), false, (exit) =>
      come(failure ?? (exit._tag === "Success" ? exit.value : "Aborted"))
    )
  }

  #opened(): HttpServerRequest {
    const wire = this.#wire
    const { time } = this
    // What a connection does in another protocol has no end.
    if (this.plan.upgrades) wire.onUpgrade = () => time?.lift()
    return LimitedRequest.make(wire.open(), this.bodyLimit, time)
  }

  #requestReading(read: WireRequest.Message["read"]): HttpServerRequest {
    return WireRequest.make({
      headers: this.headers,
      method: this.method,
      read,
      remoteAddress: this.peer,
      target: this.target
    })
  }

  // Its fibers.

  /** Runs an effect in a fiber of the request; calls `done` with its exit. */
  run<A, E>(
    effect: Effect.Effect<A, E, unknown>,
    uninterruptible: boolean,
    done: (exit: Exit.Exit<A, E>) => void
  ): void {
    if (Exit.isExit(effect)) return done(effect as Exit.Exit<A, E>)
    const fiber = Effect.runForkWith(this.services.context)(effect, { uninterruptible })
    const exit = fiber.pollUnsafe()
    if (exit !== undefined) return done(exit)
    const wire = this.#wire
    const { fibers } = this.#serving
    const outer = wire.onAbort
    const ended = this.time?.watch(fiber, done) ?? done
    fibers.add(fiber)
    wire.onAbort = () => {
      fiber.interruptUnsafe(undefined, ClientAbort.annotation)
      outer?.()
    }
    fiber.addObserver((exit) => {
      fibers.delete(fiber)
      wire.onAbort = outer
      ended(exit)
    })
  }

  /** Runs an effect and sends the reply that it returns. */
  respond(effect: Effect.Effect<HttpServerResponse.HttpServerResponse, unknown, unknown>): void {
    this.run(effect, false, (exit) => {
      if (exit._tag === "Success") return this.sendResponse(exit.value)
      this.#exit = exit
      if (!Cause.hasInterruptsOnly(exit.cause)) {
        return this.#finish(Problem.fromCause(exit.cause, this))
      }
      this.#interrupted(exit.cause)
    })
  }

  /** Ends a request whose fiber was interrupted. */
  #interrupted(cause: Cause.Cause<unknown>): void {
    // The client does not read this reply, but the caller of a web listener waits for one.
    if (Problem.isClientAbort(cause)) return this.#sendEmpty(499)
    this.#finish(Problem.interrupted(this))
  }

  /** Begins the span of the handler, if the request is sampled. */
  enter(): Span | undefined {
    this.#isHandling = true
    return this.#trace?.enter()
  }

  /** Ends the span of the handler. */
  leave(exit: Exit.Exit<unknown, unknown>): void {
    this.#trace?.leave(exit)
  }

  /** Records the exit of the handler, for the finalizers of the request. */
  ended(exit: Exit.Exit<unknown, unknown>): void {
    this.#exit = exit
  }

  // Its reply.

  /** Sends a value of the contract. */
  send(reply: EncodedReply): void {
    if (
      this.#state?.preResponseHandler !== undefined ||
      this.plan.isOpened ||
      reply.problem !== undefined
    ) {
      return this.sendResponse(toResponse(reply, this))
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

  #sendAny(made: HttpServerResponse.HttpServerResponse): void {
    if (Problem.isIncomplete(made)) {
      return this.#finish(
        Effect.catchCause(
          // A problem document of the app may be invalid.
          Effect.suspend(() => Problem.complete(made, this)),
          (cause) => Problem.fromCause(cause, this)
        )
      )
    }
    const document = Problem.documentOf(made)
    const code = document?.["code"]
    this.code = typeof code === "string" ? code : undefined
    const isEnveloped = document !== undefined && this.#serving.envelope !== undefined
    const response = isEnveloped ? this.#enveloped(made, document) : made
    const handler = this.#state?.preResponseHandler
    if (handler !== undefined) {
      this.#state = undefined
      const handled = Effect.suspend(() => handler(this.request, this.#withHeaders(response)))
      return this.run(handled, true, (exit) =>
        exit._tag === "Success"
          ? this.#sendWhole(exit.value)
          : this.#refused(Cause.squash(exit.cause))
      )
    }
    const body = this.plan.isOpened ? undefined : bytesOf(response)
    if (body === undefined) return this.#sendWhole(this.#withHeaders(response))
    const prepared =
      this.#overlap || this.#added !== none || this.plan.transforms.length > 0
        ? undefined
        : PreparedReply.linesFor(response, this.plan, this.#headers)
    if (prepared === undefined) return this.#sendBytes(response.status, linesOf(response), body)
    const own = this.#headers.slice()
    if (!this.plan.isBare) own.push(RequestId.header, this.requestId)
    this.#put(response.status, own, prepared, body)
  }

  #enveloped(response: HttpServerResponse.HttpServerResponse, document: Problem.Document) {
    const { status } = response
    const { contentType, text } = ErrorBody.make({ document, request: this, status }, this.#serving)
    return HttpServerResponse.setBody(response, HttpBody.text(text, contentType))
  }

  /**
   * Sends a reply of bytes with its own headers, those set in front of the handler, and the
   * constant ones.
   */
  #sendBytes(status: number, own: Array<string>, body: string | Uint8Array): void {
    if (this.plan.transforms.length === 0 || this.#isPlain) {
      return this.#sendLines(status, own, body)
    }
    const reply: ReplyTransform.Changing & { body: ReplyTransform.Finished["body"] } = {
      body,
      change: (change) => {
        const { added = [], set = [] } = change
        for (let i = 0; i < set.length; i += 2) this.setHeader(set[i]!, set[i + 1]!)
        for (let i = 0; i < added.length; i += 2) this.appendHeader(added[i]!, added[i + 1]!)
        if (change.body !== undefined) reply.body = change.body
      },
      header: (name) => this.#valueOf(name, own),
      status
    }
    this.#transform(reply, () => {
      const changed = reply.body
      if (typeof changed === "string" || changed instanceof Uint8Array) {
        return this.#sendLines(status, own, changed)
      }
      const empty = HttpServerResponse.empty({ status })
      this.#sendWhole(ReplyTransform.responseOf(empty, this.#merged(own), changed))
    })
  }

  /** Returns the value that a header of the reply will have, or one of its values. */
  #valueOf(name: string, own: ReadonlyArray<string>): string | undefined {
    for (const lines of [this.#headers, own, this.plan.headers, this.#added]) {
      for (let i = 0; i < lines.length; i += 2) if (lines[i] === name) return lines[i + 1]
    }
    return undefined
  }

  /** Changes a reply with the transforms of the route from index `from` on, then calls `send`. */
  #transform(reply: ReplyTransform.Changing, send: () => void, from = 0): void {
    const { transforms } = this.plan
    try {
      for (let i = from; i < transforms.length; i++) {
        const change = transforms[i]!(this, reply)
        if (Effect.isEffect(change)) {
          return this.run(change, false, (exit) => {
            if (exit._tag === "Success") {
              if (exit.value !== undefined) reply.change(exit.value)
              return this.#transform(reply, send, i + 1)
            }
            this.#exit = exit
            this.#isPlain = true
            if (Cause.hasInterruptsOnly(exit.cause)) this.#interrupted(exit.cause)
            else this.#refused(Cause.squash(exit.cause))
          })
        }
        if (change !== undefined) reply.change(change)
      }
    } catch (defect) {
      return this.#refused(defect)
    }
    this.#isPlain = true
    send()
  }

  /** Sends a reply of bytes whose body is final. */
  #sendLines(status: number, own: Array<string>, body: string | Uint8Array): void {
    const { headers, isBare } = this.plan
    if (this.#overlap || this.#overlaps(own)) {
      return this.#put(status, this.#merged(own), none, body)
    }
    if (this.#headers.length > 0) own.push(...this.#headers)
    if (this.#added.length > 0) own.push(...this.#added)
    if (!isBare) own.push(RequestId.header, this.requestId)
    this.#put(status, own, headers, body)
  }

  /** Sends a reply that has all its headers. */
  #sendWhole(whole: HttpServerResponse.HttpServerResponse): void {
    if (this.plan.transforms.length === 0 || this.#isPlain) return this.#sendFinal(whole)
    const reply = new ReplyTransform.WholeReply(whole)
    this.#transform(reply, () => this.#sendFinal(reply.response))
  }

  #sendFinal(whole: HttpServerResponse.HttpServerResponse): void {
    const { status } = whole
    try {
      const response = withEncodedLocation(
        status === resetContent && whole.body._tag !== "Empty"
          ? HttpServerResponse.setBody(whole, HttpBody.empty)
          : whole
      )
      const lines = linesOf(response)
      const body = this.plan.isOpened ? undefined : bytesOf(response)
      if (body !== undefined) return this.#put(status, lines, none, body)
      const problem = ReplyHeaders.errorOf(lines) ?? statusError(status)
      if (problem !== undefined) throw problem
      const logged = ReplyStream.logged((cause) => {
        this.#exit = Exit.failCause(cause)
        this.#hasBroken = true
        return Effect.provideContext(
          logFailure("The stream of a reply failed", cause),
          this.services.context
        )
      })
      if (!this.#hasContent(status) || response.body._tag === "Empty") this.#sent = 0
      else this.#sent = response.body.contentLength
      this.#wire.sendResponse(ReplyStream.map(this.#bounded(response), logged), () => {
        this.#endSpan(status)
        this.#close()
      })
    } catch (defect) {
      // Code of the app may have made an invalid response.
      return this.#refused(defect)
    }
    this.#tell(status)
  }

  /** Limits how long the stream of a reply is silent, in place of how long it takes. */
  #bounded(response: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse {
    const rule = this.plan.time
    if (rule === undefined || response.body._tag !== "Stream") return response
    this.time!.lift()
    return rule.idle === Infinity
      ? response
      : ReplyStream.map(
          response,
          ReplyStream.notIdle(this, rule.idle, () => rule.exceeded("stream of the reply"))
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
    this.#endSpan(status)
    this.#close()
  }

  /**
   * Sends a 500 in place of a reply that cannot be sent, such as one with a line break in a
   * header.
   */
  #refused(defect: unknown): void {
    this.#isPlain = true
    this.#added = none
    this.#headers = none
    this.#overlap = false
    this.#refusals++
    if (this.#refusals === 2) return this.#sendEmpty(500)
    if (this.#refusals > 2) {
      // The empty reply could not be sent either.
      this.#tell(500)
      this.#endSpan(500)
      return this.#close()
    }
    const cause = Cause.die(defect)
    this.#exit = Exit.failCause(cause)
    this.#finish(Problem.fromCause(cause, this))
  }

  /** Sends the reply that an effect returns, or an empty 500 if it fails. */
  #finish(effect: Effect.Effect<HttpServerResponse.HttpServerResponse>): void {
    this.run(effect, true, (exit) => {
      if (exit._tag === "Success") this.sendResponse(exit.value)
      else this.#sendEmpty(500)
    })
  }

  #sendEmpty(status: number): void {
    this.#sendWhole(HttpServerResponse.empty({ status }))
  }

  #withHeaders(
    response: HttpServerResponse.HttpServerResponse
  ): HttpServerResponse.HttpServerResponse {
    return withLines(response, this.#merged(ReplyHeaders.fromRecord(response.headers)))
  }

  #merged(own: ReadonlyArray<string>): Array<string> {
    const { headers, isBare } = this.plan
    const set = isBare ? this.#headers : [...this.#headers, RequestId.header, this.requestId]
    return ReplyHeaders.merge(own, { added: this.#added, set }, headers)
  }

  #hasContent(status: number): boolean {
    return Semantics.bodyOf(this.method, status) === "body"
  }

  /** Checks whether a reply's own headers override others. */
  #overlaps(own: ReadonlyArray<string>): boolean {
    for (let i = 0; i < own.length; i += 2) {
      if (own[i] === RequestId.header || this.#has(own[i]!)) return true
    }
    return false
  }

  /** Calls the observers. */
  #tell(status: number): void {
    const { context } = this.#serving
    Observers.tell(this.plan.observers, this, status, context as Context.Context<never>)
  }

  /** Ends the span, once the reply has been sent. */
  #endSpan(status: number): void {
    this.#trace?.end({ exit: this.#exit, hasBroken: this.#hasBroken, status })
  }

  /** Closes the scope of the request, then ends the exchange. */
  #close(): void {
    this.#isOver = true
    if (!this.#isAhead) this.#release()
  }

  #release(): void {
    const serving = this.#serving
    const scope = this.#scope
    this.plan.open--
    if (scope === undefined) return serving.end()
    const closed = Effect.catchCause(Scope.close(scope, this.#exit), (cause) =>
      logFailure("A finalizer of a request failed", cause)
    )
    Effect.runForkWith(this.services.context)(closed, { uninterruptible: true }).addObserver(() =>
      serving.end()
    )
  }
}

/** The exchange that a fiber serves. */
export class CurrentExchange extends Context.Service<CurrentExchange, Exchange>()(exchangeKey) {}

/** The exit of a request whose client disconnected while sending its body. */
export const aborted: Effect.Effect<never> = Effect.failCause(
  Cause.annotate(Cause.interrupt(), ClientAbort.annotation)
)
