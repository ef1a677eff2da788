/** The argument of a handler. */
import * as Context from "effect/Context"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import { CurrentIdentity, type Identity } from "../../Contract/Authentication.ts"
import type { Exchange } from "../Exchange/Exchange.ts"

/** The argument of a handler. `request` is made only if the handler reads it. */
export class Requested {
  readonly #endpoint: HttpApiEndpoint.Top
  readonly #exchange: Exchange
  readonly #group: unknown
  readonly #services: Context.Context<unknown> | undefined
  headers: unknown
  params: unknown
  payload: unknown
  query: unknown
  #request: HttpServerRequest | undefined
  upgrade: unknown

  constructor(
    exchange: Exchange,
    services: Context.Context<unknown> | undefined,
    endpoint: HttpApiEndpoint.Top,
    group: unknown
  ) {
    this.#endpoint = endpoint
    this.#exchange = exchange
    this.#group = group
    this.#services = services
  }

  get endpoint() {
    return this.#endpoint
  }

  get group() {
    return this.#group
  }

  /** The caller of a protected route. */
  get identity(): Identity | undefined {
    return this.#services === undefined
      ? this.#exchange.find(CurrentIdentity)
      : Context.getOrUndefined(this.#services as Context.Context<CurrentIdentity>, CurrentIdentity)
  }

  get request(): HttpServerRequest {
    return (
      this.#request ??
      (this.#services === undefined
        ? this.#exchange.request
        : // Middleware may have changed it.
          Context.getUnsafe(
            this.#services as Context.Context<HttpServerRequest>,
            HttpServerRequest
          ))
    )
  }

  set request(request: HttpServerRequest) {
    this.#request = request
  }
}
