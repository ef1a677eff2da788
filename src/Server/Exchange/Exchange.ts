/** One request on the compiled lane: its wire, what is known of it, and its reply. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { PreResponseHandler } from "effect/http/HttpEffect"
import * as HttpMethod from "effect/http/HttpMethod"
import { ClientAbort } from "effect/http/HttpServerError"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Response from "effect/http/HttpServerResponse"
import * as Scope from "effect/Scope"
import type { Observe, Observed, RouteInfo } from "../Route/Middleware.ts"
import type * as Before from "./Before.ts"
import * as Observers from "./Observers.ts"
import * as Problem from "./Problem.ts"
import * as ReplyHeaders from "./ReplyHeaders.ts"
import * as RequestFields from "./RequestFields.ts"
import * as RequestId from "./RequestId.ts"
import { contextOf, ExchangeServices, type Served } from "./Services.ts"
import type { BodyFailure, Wire } from "./Wire.ts"
import * as WireRequest from "./WireRequest.ts"

/** What the requests of one route have in common. */
export interface Plan {
  /** The longest body, in bytes. */
  readonly bodyLimit: number
  /** Whether `headers` say the type of a reply that does not say it. */
  readonly hasType: boolean
  /** Names and values in turn, of every reply that has none of the same name. */
  readonly headers: ReadonlyArray<string>
  readonly info: RouteInfo
  /** The names in `headers`, and those that every reply has. */
  readonly names: ReadonlySet<string>
  readonly observers: ReadonlyArray<Observe>
}

/** What the lane shares between its requests. */
export interface Shared {
  /** The app's services. */
  readonly context: Context.Context<unknown>
  /** Milliseconds on a clock that only goes forward. */
  readonly elapsed: () => number
  /** Unix milliseconds. */
  readonly now: () => number
  /** Requests that wait for something, so that drain can interrupt them. */
  readonly waiting: Set<Fiber.Fiber<unknown, unknown>>
}

interface RequestState {
  readonly loggerDisabled: boolean
  preResponseHandler: PreResponseHandler | undefined
}

/** One request. */
export class LaneExchange implements Before.Incoming, Observed, Served {
  /** What came of reading the body; undefined before it. */
  body: BodyFailure | Uint8Array | undefined
  bodyText: string | undefined
  readonly plan: Plan
  readonly params: Readonly<Record<string, string | undefined>>
  readonly searchParams: Readonly<Record<string, Array<string> | string>>
  #context: Context.Context<unknown> | undefined
  #fields: RequestFields.Fields | undefined
  /** Headers of the reply, names and values in turn, that were set on the way in. */
  readonly #headers: Array<string> = []
  /** Whether a header of the reply stands in the place of another. */
  #replaces: boolean
  /** Who waits for the body. */
  #onBody: (() => void) | undefined
  #request: HttpServerRequest | undefined
  #requestId: string | undefined
  #scope: Scope.Closeable | undefined
  #services: ExchangeServices | undefined
  readonly #shared: Shared
  readonly #start: number
  #state: RequestState | undefined
  readonly wire: Wire

  constructor(
    shared: Shared,
    wire: Wire,
    plan: Plan,
    params: LaneExchange["params"],
    searchParams: LaneExchange["searchParams"]
  ) {
    this.#shared = shared
    this.wire = wire
    this.plan = plan
    this.params = params
    this.searchParams = searchParams
    this.#replaces = plan.hasType
    this.#start = plan.observers.length === 0 ? 0 : shared.elapsed()
  }

  // What is known of the request.

  get fields(): RequestFields.Fields {
    return (this.#fields ??= RequestFields.make())
  }

  get bodyLimit(): number {
    return this.plan.bodyLimit
  }

  get hasBody(): boolean {
    return HttpMethod.hasBody(this.wire.method)
  }

  get method(): string {
    return this.wire.method
  }

  get peer(): string | undefined {
    return this.wire.remoteAddress
  }

  get request(): HttpServerRequest {
    return (this.#request ??= WireRequest.make({
      headers: this.wire.headers,
      method: this.method,
      read: (done) => this.readBody(() => done(this.body!)),
      remoteAddress: this.peer,
      target: this.target
    }))
  }

  get requestId(): string {
    return (this.#requestId ??= RequestId.fromHeader(this.wire.header(RequestId.header)))
  }

  get scope(): Scope.Scope {
    return (this.#scope ??= Scope.makeUnsafe())
  }

  get services(): ExchangeServices {
    return (this.#services ??= new ExchangeServices(this, this.#shared.context.mapUnsafe))
  }

  get state(): RequestState {
    return (this.#state ??= { loggerDisabled: false, preResponseHandler: undefined })
  }

  get target(): string {
    return this.wire.target
  }

  annotate(fields: Readonly<RequestFields.Fields>): void {
    // An app with a tracer has no compiled lane, so there is no span.
    Object.assign(this.fields, fields)
  }

  elapsed(): number {
    return this.#shared.elapsed() - this.#start
  }

  find<I, S>(key: Context.Key<I, S>): S | undefined {
    // What is kept under a key has its type.
    return this.services.get(key.key) as S | undefined
  }

  get<S>(reference: Context.Reference<S>): S {
    return this.services.has(reference.key)
      ? (this.services.get(reference.key) as S)
      : Context.get(Context.empty(), reference)
  }

  header(name: string): string | undefined {
    return this.wire.header(name)
  }

  now(): number {
    return this.#shared.now()
  }

  provide<I, S>(key: Context.Key<I, S>, service: S): void {
    const { services } = this
    services.set(key.key, service)
    if (!services.isCached) this.#context = undefined
  }

  setHeader(name: string, value: string): void {
    const headers = this.#headers
    this.#replaces ||= this.plan.names.has(name) || headers.includes(name)
    headers.push(name, value)
  }

  /** Reads the body whole, where nobody has done so, and goes on when it is there. */
  readBody(done: () => void): void {
    if (this.body !== undefined) return done()
    const first = this.#onBody
    if (first !== undefined) {
      this.#onBody = () => {
        first()
        done()
      }
      return
    }
    this.#onBody = done
    this.wire.body(this.bodyLimit, (body) => {
      this.body = body
      this.#onBody!()
    })
  }

  // What comes of it.

  /** Runs an effect in a fiber of the request and gives its end to `done`. */
  run<A, E>(
    effect: Effect.Effect<A, E, unknown>,
    uninterruptible: boolean,
    done: (exit: Exit.Exit<A, E>) => void
  ): void {
    if (Exit.isExit(effect)) return done(effect as Exit.Exit<A, E>)
    this.#context ??= contextOf(this.services, this.#shared.context)
    const fiber = Effect.runForkWith(this.#context)(effect, { uninterruptible })
    const exit = fiber.pollUnsafe()
    if (exit !== undefined) return done(exit)
    const { waiting } = this.#shared
    waiting.add(fiber)
    this.wire.onAbort = () => fiber.interruptUnsafe(undefined, ClientAbort.annotation)
    fiber.addObserver((exit) => {
      waiting.delete(fiber)
      this.wire.onAbort = undefined
      done(exit)
    })
  }

  /** Runs an effect that ends in the reply, and sends it. */
  respond(effect: Effect.Effect<Response.HttpServerResponse, unknown, unknown>): void {
    this.run(effect, false, (exit) => {
      if (exit._tag === "Success") return this.sendResponse(exit.value)
      if (!Cause.hasInterruptsOnly(exit.cause)) {
        return this.#finish(Problem.fromCause(exit.cause, this))
      }
      // Nobody reads it; a listener in memory still owes its caller an end.
      if (Problem.isClientAbort(exit.cause)) return this.#sendEmpty(499)
      this.#finish(Problem.interrupted(this))
    })
  }

  /** Sends a reply that nothing more may come of. */
  #finish(effect: Effect.Effect<Response.HttpServerResponse>): void {
    this.run(effect, true, (exit) => {
      if (exit._tag === "Success") this.sendResponse(exit.value)
      else this.#sendEmpty(500)
    })
  }

  #sendEmpty(status: number): void {
    this.wire.send(status, [], "")
    this.#end(status)
  }

  /** Sends a value of the contract as the text that it became; `contentType` is undefined without one. */
  send(status: number, contentType: string | undefined, body: string): void {
    const { plan } = this
    if (this.#replaces || this.#state?.preResponseHandler !== undefined) {
      return this.sendResponse(
        contentType === undefined
          ? Response.empty({ status })
          : Response.text(body, { contentType, status })
      )
    }
    const headers = this.#headers
    if (plan.info.access.type !== "bare") headers.push(RequestId.header, this.requestId)
    if (contentType !== undefined) headers.push("content-type", contentType)
    try {
      this.wire.send(status, headers, body, plan.headers)
    } catch (defect) {
      return this.#refused(defect)
    }
    this.#end(status)
  }

  /** Sends any reply, after the handlers that were registered for it, which see all its headers. */
  sendResponse(response: Response.HttpServerResponse): void {
    if (Problem.isIncomplete(response)) {
      return this.#finish(
        Effect.catchCause(
          // A document that the app wrote itself may be none.
          Effect.suspend(() => Problem.complete(response, this)),
          (cause) => Problem.fromCause(cause, this)
        )
      )
    }
    const handler = this.#state?.preResponseHandler
    const whole = this.#withHeaders(response)
    if (handler === undefined) return this.#write(whole)
    this.#state = undefined
    const handled = Effect.suspend(() => handler(this.request, whole))
    this.run(handled, true, (exit) =>
      exit._tag === "Success" ? this.#write(exit.value) : this.#refused(Cause.squash(exit.cause))
    )
  }

  #write(response: Response.HttpServerResponse): void {
    try {
      const problem = ReplyHeaders.problem(response.headers)
      if (problem !== undefined) throw problem
      this.wire.sendResponse(response)
    } catch (defect) {
      return this.#refused(defect)
    }
    this.#end(response.status)
  }

  /** Answers in the place of a reply that cannot be sent, such as one with a line break in a header. */
  #refused(defect: unknown): void {
    this.#headers.length = 0
    this.run(Problem.fromCause(Cause.die(defect), this), true, (exit) => {
      try {
        if (exit._tag === "Failure") throw exit
        this.wire.sendResponse(this.#withHeaders(exit.value))
      } catch {
        return this.#sendEmpty(500)
      }
      this.#end(500)
    })
  }

  #withHeaders(response: Response.HttpServerResponse): Response.HttpServerResponse {
    const own = ReplyHeaders.onto(response, this.#headers)
    if (this.plan.info.access.type === "bare") return own
    const more: Record<string, string> = { [RequestId.header]: this.requestId }
    const constant = this.plan.headers
    for (let i = 0; i < constant.length; i += 2) {
      const name = constant[i]!
      if (!(name in own.headers)) more[name] = constant[i + 1]!
    }
    return Response.setHeaders(own, more)
  }

  /** Tells the observers, and closes the request's scope where something acquired in it. */
  #end(status: number): void {
    Observers.tell(this.plan.observers, this, status, this.#shared.context)
    if (this.#scope !== undefined) {
      Effect.runForkWith(this.#shared.context)(Scope.close(this.#scope, Exit.void))
    }
  }
}

/** The exchange that a fiber serves; given to what runs as an effect around the endpoint. */
export class CurrentExchange extends Context.Service<CurrentExchange, LaneExchange>()(
  "flange/CurrentExchange"
) {}

/** What a request ends with whose client went away within the body. */
export const aborted: Effect.Effect<never> = Effect.failCause(
  Cause.annotate(Cause.interrupt(), ClientAbort.annotation)
)
