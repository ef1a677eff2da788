/** Runs a `Before` as an effect, for a request that runs in a fiber already. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type { Before, Incoming } from "./Before.ts"
import { CurrentExchange, type Exchange } from "./Exchange.ts"
import type * as RequestFields from "./RequestFields.ts"
import type * as SetCookie from "./SetCookie.ts"

/** Runs `before`, then `next` if `before` lets the request continue. */
export const run =
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
                // The services are added for `next`, whose type does not have them.
                all = Context.addUnsafe(all, key, service) as Context.Context<R>
              }
              return all
            })
          : Effect.succeed(reply)
      )
    })

/** The request that a fiber serves, with the services that outer middleware has provided. */
class FiberIncoming implements Incoming {
  readonly #exchange: Exchange
  readonly #fiber: Fiber.Fiber<unknown, unknown>
  readonly provided = new Map<string, unknown>()
  readonly request: HttpServerRequest

  constructor(fiber: Fiber.Fiber<unknown, unknown>) {
    // Middleware runs in the fiber of a request.
    const context = fiber.context as Context.Context<CurrentExchange | HttpServerRequest>
    this.#exchange = Context.getUnsafe(context, CurrentExchange)
    this.#fiber = fiber
    this.request = Context.getUnsafe(context, HttpServerRequest)
  }

  get hasAmbientCredentials() {
    return this.#exchange.hasAmbientCredentials
  }

  set hasAmbientCredentials(has: boolean) {
    this.#exchange.hasAmbientCredentials = has
  }

  get method() {
    return this.#exchange.method
  }

  get params() {
    return this.#exchange.params
  }

  get peer() {
    return this.#exchange.peer
  }

  get tls() {
    return this.#exchange.tls
  }

  get requestId() {
    return this.#exchange.requestId
  }

  get searchParams() {
    return this.#exchange.searchParams
  }

  get target() {
    return this.#exchange.target
  }

  annotate(fields: Readonly<RequestFields.Fields>) {
    this.#exchange.annotate(fields)
  }

  appendHeader(name: string, value: string) {
    this.#exchange.appendHeader(name, value)
  }

  find<I, S>(key: Context.Key<I, S>): S | undefined {
    return this.provided.has(key.key)
      ? // The service under a key has the key's type.
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

  setCookie(name: string, value: string, options?: SetCookie.Options) {
    this.#exchange.setCookie(name, value, options)
  }

  setHeader(name: string, value: string) {
    this.#exchange.setHeader(name, value)
  }
}
