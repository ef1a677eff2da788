/** Rate limits in contracts. */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import { RateLimited } from "./Catalogue.ts"

/** How many requests a caller may send. */
export interface Policy {
  /** The most requests at once. The default is `limit`. */
  readonly burst?: number | undefined
  /** Requests per `window`, 1 at least. */
  readonly limit: number
  /** Above zero. */
  readonly window: Duration.Input
}

/**
 * The annotation for the limit of an endpoint, or of all endpoints of a group together.
 * `unlimited` exempts. The default is `rateLimit` in the configuration, for endpoints with
 * authentication. Requests under this limit do not count for other limits. It has an
 * effect only in an app with a plugin that limits.
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
 * Contract middleware that declares a limit: 429 `RATE_LIMITED` becomes an error of the
 * endpoint, also for the typed client. An app without a plugin that limits does not
 * compile. A public endpoint with it has a limit.
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
