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
 * The annotation for the limit of an endpoint, or of all endpoints of a group together. `unlimited`
 * exempts them. Requests that the annotated limit counts do not count for other limits. Endpoints
 * with authentication that have no annotation share the limit `rateLimit` of the configuration. The
 * annotation has an effect only if a plugin of the app limits requests.
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
 * Contract middleware that declares a limit: 429 `RATE_LIMITED` becomes an error of the endpoint,
 * also for the typed client. The app compiles only if one of its plugins limits requests. With this
 * middleware, the limit `rateLimit` also holds for a public endpoint.
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
