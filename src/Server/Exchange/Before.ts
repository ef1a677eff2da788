/**
 * What decides before the handler: it lets a request pass or answers it. The
 * compiled lane calls it as a function; elsewhere it becomes an effect around the rest.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import { CurrentReply } from "./ReplyHeaders.ts"
import * as RequestFields from "./RequestFields.ts"
import * as RequestId from "./RequestId.ts"

/** A request on its way to its handler. */
export interface Incoming {
  /** Adds fields to the request's access line and span; see `RequestFields`. */
  annotate(fields: Readonly<RequestFields.Fields>): void
  /** A service of the app or of this request, if there is one. */
  find<I, S>(key: Context.Key<I, S>): S | undefined
  /** The value of a reference, for this request. */
  get<S>(reference: Context.Reference<S>): S
  /** The value of a header by its lower-case name; several lines are joined with `, `. */
  header(name: string): string | undefined
  /** Upper case. */
  readonly method: string
  /** Unix milliseconds, by the clock of the request. */
  now(): number
  /** The address at the other end of the connection; undefined where there is none. */
  readonly peer: string | undefined
  /** Gives a service to whatever runs after this: the handler, and middleware inside. */
  provide<I, S>(key: Context.Key<I, S>, service: S): void
  /** The whole request; made when it is first asked for. */
  readonly request: HttpServerRequest
  readonly requestId: string
  /**
   * Sets a header of the reply, whoever makes that, a failure included. The name is
   * in lower case; where two set the same, the later stands. `vary` joins what the
   * reply varies by already.
   */
  setHeader(name: string, value: string): void
  /** Path and query. */
  readonly target: string
}

/**
 * Gives a reply, which then is the request's, or `undefined` to let the request
 * pass. One that has no need to wait gives an `Exit`, and no fiber is started for it.
 */
export type Before = (
  request: Incoming
) => Effect.Effect<HttpServerResponse | undefined, never, HttpServerRequest>

/** Lets a request pass. */
export const pass: Effect.Effect<undefined> = Effect.succeed(undefined)

/** Puts `before` in front of an effect that serves the same request. */
export const inFrontOf =
  (before: Before) =>
  <E, R>(
    next: Effect.Effect<HttpServerResponse, E, R>
  ): Effect.Effect<HttpServerResponse, E, HttpServerRequest | R> =>
    Effect.withFiber((fiber) => {
      const request = new FiberIncoming(fiber)
      return Effect.flatMap(before(request), (reply) =>
        reply === undefined
          ? Effect.updateContext(next, (context: Context.Context<R>) => {
              let all = context
              for (const [key, service] of request.provided) {
                // What runs inside asks for no more than what it declares.
                all = Context.addUnsafe(all, key, service) as Context.Context<R>
              }
              return all
            })
          : Effect.succeed(reply)
      )
    })

/** The request that a fiber serves. */
class FiberIncoming implements Incoming {
  readonly #fiber: Fiber.Fiber<unknown, unknown>
  readonly provided = new Map<string, unknown>()
  readonly request: HttpServerRequest

  constructor(fiber: Fiber.Fiber<unknown, unknown>) {
    this.#fiber = fiber
    this.request = Context.getUnsafe(
      // Middleware runs in the fiber of a request.
      fiber.context as Context.Context<HttpServerRequest>,
      HttpServerRequest
    )
  }

  get method() {
    return this.request.method
  }

  get peer() {
    return Option.getOrUndefined(this.request.peerAddress)
  }

  get requestId() {
    return this.get(RequestId.RequestId)
  }

  get target() {
    return this.request.url
  }

  annotate(fields: Readonly<RequestFields.Fields>) {
    RequestFields.write(this.#fiber, fields)
  }

  find<I, S>(key: Context.Key<I, S>): S | undefined {
    return this.provided.has(key.key)
      ? // What is kept under a key has its type.
        (this.provided.get(key.key) as S)
      : Context.getOrUndefined(this.#fiber.context as Context.Context<I>, key)
  }

  get<S>(reference: Context.Reference<S>): S {
    return this.provided.has(reference.key)
      ? (this.provided.get(reference.key) as S)
      : this.#fiber.getRef(reference)
  }

  header(name: string) {
    return this.request.headers[name]
  }

  now() {
    return this.get(Clock.Clock).currentTimeMillisUnsafe()
  }

  provide<I, S>(key: Context.Key<I, S>, service: S) {
    this.provided.set(key.key, service)
  }

  setHeader(name: string, value: string) {
    this.#fiber.getRef(CurrentReply).setHeader(name, value)
  }
}

/** The endpoint that middleware of a contract stands around. */
export interface Contract {
  readonly endpoint: HttpApiEndpoint.Top
  readonly group: HttpApiGroup.Top
}

/** What middleware of a contract does, by its `HttpApiMiddleware` function. */
const known = new WeakMap<object, (contract: Contract) => Before>()

/** Middleware of a contract, as an `HttpApiMiddleware` function that the compiled lane need not call. */
export const middleware = (make: (contract: Contract) => Before) => {
  const around = <E, R>(next: Effect.Effect<HttpServerResponse, E, R>, contract: Contract) =>
    inFrontOf(make(contract))(next)
  known.set(around, make)
  return around
}

/** What a function that `middleware` made does; undefined for any other. */
export const ofMiddleware = (middleware: object): ((contract: Contract) => Before) | undefined =>
  known.get(middleware)
