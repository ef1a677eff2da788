/** One request on the compiled lane: its wire, what is known of it, and the services it runs with. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { PreResponseHandler } from "effect/http/HttpEffect"
import * as HttpMethod from "effect/http/HttpMethod"
import { RouteContext } from "effect/http/HttpRouter"
import { ClientAbort } from "effect/http/HttpServerError"
import { HttpServerRequest, ParsedSearchParams } from "effect/http/HttpServerRequest"
import * as Response from "effect/http/HttpServerResponse"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import type { Observe, Observed, RouteInfo } from "./Middleware.ts"
import * as Problem from "./Problem.ts"
import * as RequestFields from "./RequestFields.ts"
import * as RequestId from "./RequestId.ts"
import type { BodyFailure, Wire } from "./Wire.ts"

/** The exchange that this fiber serves. */
export class CurrentExchange extends Context.Service<CurrentExchange, LaneExchange>()(
  "flange/CurrentExchange"
) {}

/** What the requests of one route have in common. */
export interface Plan {
  /** Names and values in turn, of every reply that has none of the same name. */
  readonly headers: ReadonlyArray<string>
  readonly info: RouteInfo
  readonly observers: ReadonlyArray<Observe>
}

/** What the lane shares between its requests. */
export interface Shared {
  /** Milliseconds on a clock that only goes forward. */
  readonly now: () => number
  /** The app's services by key. */
  readonly services: ReadonlyMap<string, unknown>
  /** Requests that wait for something, so that drain can interrupt them. */
  readonly waiting: Set<Fiber.Fiber<unknown, unknown>>
}

interface RequestState {
  readonly loggerDisabled: boolean
  preResponseHandler: PreResponseHandler | undefined
}

/**
 * One request. It is also the map behind the context of its fiber: a service
 * that only this request has is made when it is first looked up, so a handler
 * pays for what it uses. Everything else comes from the app's own map.
 */
export class LaneExchange implements Observed, ReadonlyMap<string, unknown> {
  /** What came of reading the body; undefined before it. */
  body: BodyFailure | Uint8Array | undefined
  bodyLimit = 0
  bodyText: string | undefined
  readonly plan: Plan
  readonly params: Readonly<Record<string, string | undefined>>
  readonly searchParams: Readonly<Record<string, Array<string> | string>>
  readonly #context: Context.Context<unknown>
  #fields: RequestFields.Fields | undefined
  #requestId: string | undefined
  #scope: Scope.Closeable | undefined
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
    this.#context = Context.makeUnsafe(this)
    this.#start = plan.observers.length === 0 ? 0 : shared.now()
  }

  get hasBody(): boolean {
    return HttpMethod.hasBody(this.wire.method)
  }

  /** What failures are described with; see `Problem.Failed`. */
  get request(): HttpServerRequest {
    return this.wire.request
  }

  /** Runs an effect in the request's fiber and gives its end to `done`. */
  run<A, E>(
    effect: Effect.Effect<A, E, unknown>,
    uninterruptible: boolean,
    done: (exit: Exit.Exit<A, E>) => void
  ): void {
    if (Exit.isExit(effect)) return done(effect as Exit.Exit<A, E>)
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
  readonly respond = (effect: Effect.Effect<Response.HttpServerResponse, unknown, unknown>): void =>
    this.run(effect, false, (exit) => {
      if (exit._tag === "Success") return this.sendResponse(exit.value)
      if (!Cause.hasInterruptsOnly(exit.cause)) {
        return this.run(Problem.fromCause(exit.cause, this), true, this.#sendExit)
      }
      // Nobody reads it; a listener in memory still owes its caller an end.
      if (Problem.isClientAbort(exit.cause)) return this.send(499, [], "")
      this.run(Problem.interrupted(this), true, this.#sendExit)
    })

  readonly #sendExit = (exit: Exit.Exit<Response.HttpServerResponse, unknown>): void => {
    if (exit._tag === "Success") this.sendResponse(exit.value)
    else this.send(500, [], "")
  }

  /** Sends a reply of head and text. */
  send(status: number, headers: ReadonlyArray<string>, body: string): void {
    if (this.#state?.preResponseHandler !== undefined) {
      const named: Record<string, string> = {}
      for (let i = 0; i < headers.length; i += 2) named[headers[i]!] = headers[i + 1]!
      return this.sendResponse(Response.text(body, { headers: named, status }))
    }
    this.wire.send(
      status,
      this.plan.headers.length === 0 ? headers : [...headers, ...this.plan.headers],
      body
    )
    this.#end(status)
  }

  elapsed(): number {
    return this.#shared.now() - this.#start
  }

  get fields(): RequestFields.Fields {
    return (this.#fields ??= RequestFields.make())
  }

  get method(): string {
    return this.wire.method
  }

  get requestId(): string {
    return (this.#requestId ??= RequestId.fromHeader(this.wire.header(RequestId.header)))
  }

  get target(): string {
    return this.wire.target
  }

  /** Sends any reply, after the handlers that were registered for it. */
  sendResponse(response: Response.HttpServerResponse): void {
    const handler = this.#state?.preResponseHandler
    if (handler !== undefined) {
      this.#state = undefined
      return this.run(handler(this.request, response), true, this.#sendExit)
    }
    this.wire.sendResponse(
      this.plan.info.access.type === "bare"
        ? response
        : Response.setHeaders(response, this.#headersBeside(response))
    )
    this.#end(response.status)
  }

  #headersBeside({ headers }: Response.HttpServerResponse): Record<string, string> {
    const own: Record<string, string> = { [RequestId.header]: this.requestId }
    const constant = this.plan.headers
    for (let i = 0; i < constant.length; i += 2) {
      const name = constant[i]!
      if (!(name in headers)) own[name] = constant[i + 1]!
    }
    return own
  }

  /** Tells the observers, and closes the request's scope where something acquired in it. */
  #end(status: number): void {
    for (const observe of this.plan.observers) observe(this, status)
    if (this.#scope !== undefined) {
      Effect.runForkWith(this.#context)(Scope.close(this.#scope, Exit.void))
    }
  }

  /** Reads the body whole, and goes on when it is there. */
  readBody(limit: number, done: () => void): void {
    this.wire.body(limit, (body) => {
      this.body = body
      done()
    })
  }

  // The map behind the context.

  get(key: string): unknown {
    switch (key) {
      case CurrentExchange.key:
        return this
      case HttpServerRequest.key:
        return this.wire.request
      case ParsedSearchParams.key:
        return this.searchParams
      case References.CurrentLogAnnotations.key:
        return {
          ...(this.#shared.services.get(key) as object | undefined),
          requestId: this.requestId
        }
      case RequestFields.RequestFields.key:
        return this.fields
      case RequestId.RequestId.key:
        return this.requestId
      case requestStateKey:
        return (this.#state ??= { loggerDisabled: false, preResponseHandler: undefined })
      case RouteContext.key:
        return { params: this.params, route: this.plan.info }
      case Scope.Scope.key:
        return (this.#scope ??= Scope.makeUnsafe())
      default:
        return this.#shared.services.get(key)
    }
  }

  has(key: string): boolean {
    return ownKeys.has(key) || this.#shared.services.has(key)
  }

  /**
   * More than any count of lookups: a context copies its map once it was asked as
   * often as the map is large, and a copy would make every service of this one.
   */
  get size(): number {
    return Infinity
  }

  entries() {
    return this.#entries().entries()
  }

  forEach(f: (value: unknown, key: string, map: ReadonlyMap<string, unknown>) => void): void {
    this.#entries().forEach(f)
  }

  keys() {
    return this.#entries().keys()
  }

  values() {
    return this.#entries().values()
  }

  [Symbol.iterator]() {
    return this.#entries()[Symbol.iterator]()
  }

  #entries(): Map<string, unknown> {
    const all = new Map(this.#shared.services)
    for (const key of ownKeys) all.set(key, this.get(key))
    return all
  }
}

/** The key under which `HttpEffect` keeps handlers that run before a reply is sent. */
const requestStateKey = "effect/http/HttpEffect/CurrentRequestState"

const ownKeys: ReadonlySet<string> = new Set([
  CurrentExchange.key,
  HttpServerRequest.key,
  ParsedSearchParams.key,
  References.CurrentLogAnnotations.key,
  RequestFields.RequestFields.key,
  RequestId.RequestId.key,
  requestStateKey,
  RouteContext.key,
  Scope.Scope.key
])

/** What a request ends with whose client went away within the body. */
export const aborted: Effect.Effect<never> = Effect.failCause(
  Cause.annotate(Cause.interrupt(), ClientAbort.annotation)
)
