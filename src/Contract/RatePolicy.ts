/** Rate limits, as far as they belong to the contract. */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import { RateLimited } from "./Catalogue.ts"

/** How many requests a caller may send. */
export interface Policy {
  /** The most requests at once; `limit` otherwise. */
  readonly burst?: number | undefined
  /** Requests per `window`, 1 at least. */
  readonly limit: number
  /** Above zero. */
  readonly window: Duration.Input
}

/**
 * The limit of an endpoint, or of all endpoints of a group together, as an
 * annotation; `rateLimit` in the configuration otherwise. `unlimited` exempts. It
 * has requests of its own: they do not count for other limits. A public endpoint
 * is limited if it has one. Only an app with a plugin that limits heeds it.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import { RatePolicy } from "flange/Contract"
 *
 * const login = HttpApiEndpoint.post("login", "/v1/login").annotate(RatePolicy, {
 *   limit: 5,
 *   window: "1 minute"
 * })
 * login.path // => "/v1/login"
 * ```
 */
export class RatePolicy extends Context.Service<RatePolicy, Policy | "unlimited">()(
  "flange/RatePolicy"
) {}

/**
 * Says in a contract that a limit stands in front: 429 `RATE_LIMITED` is then an
 * error of the endpoint for the typed client. An app without a plugin that limits
 * does not compile. A public endpoint is limited if it has this.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import { Limited } from "flange/Contract"
 *
 * const search = HttpApiEndpoint.get("search", "/v1/search").middleware(Limited)
 * search.middlewares.size // => 1
 * ```
 */
export class Limited extends HttpApiMiddleware.Service<Limited>()("flange/Limited", {
  error: RateLimited
}) {}
