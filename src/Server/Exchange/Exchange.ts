/** One request and its reply: its services, the fibers it runs in, and its end. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { PreResponseHandler } from "effect/http/HttpEffect"
import * as HttpMethod from "effect/http/HttpMethod"
import { ClientAbort } from "effect/http/HttpServerError"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import type { AnySpan, Span } from "effect/Tracer"
import type { TimeSpent } from "../../Plugin/Deadline.ts"
import type { EncodedReply } from "./EncodedReply.ts"
import { logFailure } from "./FailureLog.ts"
import * as LimitedRequest from "./LimitedRequest.ts"
import type { Match, Plan } from "./Plan.ts"
import { Reply, type Replying } from "./Reply.ts"
import { type Read, RequestBody } from "./RequestBody.ts"
import * as RequestFields from "./RequestFields.ts"
import * as RequestId from "./RequestId.ts"
import { RequestTrace } from "./RequestTrace.ts"
import { DetachedRequest, exchangeKey, Services, type ServicesOwner } from "./Services.ts"
import type { Serving } from "./Serving.ts"
import * as SetCookie from "./SetCookie.ts"
import { type Report, type TimedExchange, TimeLimit } from "./TimeLimit.ts"
import * as TimeoutReply from "./TimeoutReply.ts"
import type { Tls, Wire } from "./Wire.ts"

interface RequestState {
  readonly loggerDisabled: boolean
  preResponseHandler: PreResponseHandler | undefined
}

/** One request and its reply. */
export class Exchange implements Replying, ServicesOwner, TimedExchange {
  code: string | undefined
  /** Calls the user's handler. Effect's own handler passes the request that it has decoded. */
  handle: ((request: object) => Effect.Effect<unknown, unknown, unknown>) | undefined
  hasAmbientCredentials = false
  readonly match: Match
  readonly plan: Plan
  #body: RequestBody | undefined
  #fields: RequestFields.Fields | undefined
  /** The exit of the handler, for the finalizers of the request. */
  #exit: Exit.Exit<unknown, unknown> = Exit.void
  /** Whether the reply is sent before the fiber of the request has ended. */
  #isAhead = false
  /** Whether the reply was sent. */
  #isOver = false
  /** Whether the handler has begun to wait. */
  #isHandling = false
  /** Called when the fiber ends whose reply was sent before. */
  #onSettled: (() => void) | undefined
  readonly #reply: Reply
  #request: HttpServerRequest | undefined
  #requestId: string | undefined
  #scope: Scope.Closeable | undefined
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
    this.#reply = new Reply(this, serving, wire)
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

  /** Whether the request is a handshake of a WebSocket that a handler may accept. */
  get acceptsWebSocket(): boolean {
    return this.plan.upgrades && this.#wire.acceptsWebSocket === true
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
    this.countExceeded(report.activity)
    this.#isAhead = cause === undefined
    this.#exit = Exit.failCause(cause ?? Cause.interrupt())
    this.leave(this.#exit)
    this.#reply.replace(TimeoutReply.make(report, cause, this))
  }

  // A timer calls it, where nothing else catches errors.
  countExceeded(activity: string): void {
    try {
      this.plan.time!.exceeded(activity)
    } catch (error) {
      const log = logFailure("What counts exceeded time limits failed", Cause.die(error))
      Effect.runForkWith(this.services.context)(log)
    }
  }

  settled(exit: Exit.Exit<unknown, unknown>): void {
    this.#exit = exit
    this.#isAhead = false
    this.#onSettled?.()
    if (this.#isOver) this.#release()
  }

  /** Calls a function once the fiber of the request has ended: at once unless the reply came before. */
  afterFiber(then: () => void): void {
    if (!this.#isAhead) return then()
    const before = this.#onSettled
    this.#onSettled = () => {
      before?.()
      then()
    }
  }

  // The request.

  get fields(): RequestFields.Fields {
    return (this.#fields ??= RequestFields.make())
  }

  /** The body, why it could not be read, or the reply to send; undefined before it is read. */
  get body(): Read | undefined {
    return this.#body?.value
  }

  get #whole(): RequestBody {
    return (this.#body ??= new RequestBody(this, this.#wire))
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
    return (this.#request ??= this.plan.isOpened ? this.#opened() : this.#whole.request())
  }

  get requestId(): string {
    return (this.#requestId ??= RequestId.fromHeader(this.#wire.header(RequestId.header)))
  }

  get requestSize(): number | undefined {
    if (!this.hasBody) return undefined
    const length = Number(this.header("content-length"))
    if (Number.isSafeInteger(length)) return length
    // A body that was decoded has another size than the one that came.
    const { body } = this
    return body instanceof Uint8Array && this.header("content-encoding") === undefined
      ? body.length
      : undefined
  }

  get responseSize(): number | undefined {
    return this.#reply.size
  }

  get scope(): Scope.Scope {
    if (this.#scope === undefined) {
      this.#scope = Scope.makeUnsafe()
      // A fiber may outlive the request. What it acquires then is released at once.
      if (this.#isOver && !this.#isAhead) Scope.closeUnsafe(this.#scope, this.#exit)
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

  /** Returns the request of work that goes on after this one has ended. It does not keep this one. */
  detached(from: Context.Context<unknown>): DetachedRequest {
    return new DetachedRequest(this, from, this.#serving.context)
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

  appendHeader(name: string, value: string): void {
    this.#reply.headers.append(name, value)
  }

  setCookie(name: string, value: string, options?: SetCookie.Options): void {
    this.appendHeader("set-cookie", SetCookie.header(name, value, options))
  }

  /** Sets a header of the reply unless the handler sets it. `name` is in lower case. */
  setDefaultHeader(name: string, value: string): void {
    this.#reply.headers.setDefault(name, value)
  }

  setHeader(name: string, value: string): void {
    this.#reply.headers.set(name, value)
  }

  /** Reads the whole body, without its content coding, and calls back once it is there. */
  readBody(done: () => void): void {
    this.#whole.read(done)
  }

  #opened(): HttpServerRequest {
    const wire = this.#wire
    const { time } = this
    // What a connection does in another protocol has no end.
    if (this.plan.upgrades) wire.onUpgrade = () => time?.lift()
    return LimitedRequest.make(wire.open(), this.bodyLimit, time)
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
    const remove = fibers.add({ fiber, route: this.plan.route })
    const abort = () => {
      fiber.interruptUnsafe(undefined, ClientAbort.annotation)
      outer?.()
    }
    wire.onAbort = abort
    fiber.addObserver((exit) => {
      remove()
      wire.onAbort = outer
      ended(exit)
    })
  }

  /** Runs an effect and sends the reply that it returns. */
  respond(effect: Effect.Effect<HttpServerResponse, unknown, unknown>): void {
    this.run(effect, false, (exit) => {
      this.#isHandling = false
      if (exit._tag === "Success") this.#reply.sendResponse(exit.value)
      else this.#reply.fail(exit.cause)
    })
  }

  /** Begins the span of the handler, if the request is sampled. */
  enter(): Span | undefined {
    this.#isHandling = true
    return this.#trace?.enter()
  }

  /** Ends the span of the handler. */
  leave(exit: Exit.Exit<unknown, unknown>): void {
    this.#isHandling = false
    this.#trace?.leave(exit)
  }

  ended(exit: Exit.Exit<unknown, unknown>): void {
    this.#exit = exit
  }

  // Its reply.

  get hasPreResponseHandler(): boolean {
    return this.#state?.preResponseHandler !== undefined
  }

  takePreResponseHandler(): PreResponseHandler | undefined {
    const handler = this.#state?.preResponseHandler
    if (handler !== undefined) this.#state = undefined
    return handler
  }

  /** Sends a value of the contract. */
  send(reply: EncodedReply): void {
    this.#reply.send(reply)
  }

  /** Runs the pre-response handlers and sends the reply. */
  sendResponse(response: HttpServerResponse): void {
    this.#reply.sendResponse(response)
  }

  /** Forgets what only the handler and the head of the reply needed: the rest may last for hours. */
  rest(): void {
    this.handle = undefined
    this.#body = undefined
    this.#request = undefined
    // What closes its scope finds the services of the app.
    this.#services = undefined
  }

  sent(status: number, hasBroken: boolean): void {
    this.#trace?.end({ exit: this.#exit, hasBroken, status })
    this.#isOver = true
    if (!this.#isAhead) this.#release()
  }

  /** Closes the scope of the request, then ends the exchange. */
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
