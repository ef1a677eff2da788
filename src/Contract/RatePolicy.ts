/** Rate limits in contracts. */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import { RateLimited } from "./Catalogue.ts"

/**
 * How requests are counted.
 *
 * - `sliding-window`: at most `limit` in any time of the length of `window`
 * - `token-bucket`: `burst` at once, and then one after each `limit`th part of `window`
 */
export type Algorithm = "sliding-window" | "token-bucket"

/** How many requests a caller may send. */
export interface Policy {
  /** How requests are counted. The default is `token-bucket`. */
  readonly algorithm?: Algorithm | undefined
  /** The most requests at once, for `token-bucket`. The default is `limit`. */
  readonly burst?: number | undefined
  /**
   * Who has a count of their own.
   *
   * - `address`: each address of a client. Such a limit is checked before authentication.
   * - `caller`, the default: each authenticated caller, and each address of clients without
   *   authentication
   * - another name: each key that the extractor of this name returns, which a plugin contributes
   *   with `RateLimit.key`
   */
  readonly by?: string | undefined
  /** Requests per `window`, 1 at least. */
  readonly limit: number
  /** Ends the name of the limit. Needed if an endpoint or a group has several policies. */
  readonly name?: string | undefined
  /** From 1 millisecond to 366 days. */
  readonly window: Duration.Input
}

/**
 * The annotation for the limit of an endpoint, or of all endpoints of a group together. Of several
 * policies, a request has to satisfy all. `unlimited` exempts the endpoint or the group.
 *
 * The nearest annotation wins, whole: requests that it counts do not count for other limits.
 * Endpoints with authentication that have no annotation share the limit `rateLimit` of the
 * configuration. The annotation has an effect only if a plugin of the app limits requests.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import { RatePolicy } from "flange/Contract"
 *
 * const login = HttpApiEndpoint.post("login", "/v1/login").annotate(RatePolicy, {
 *   by: "address",
 *   limit: 5,
 *   window: "1 minute"
 * })
 * login.path // => "/v1/login"
 * ```
 */
export class RatePolicy extends Context.Service<
  RatePolicy,
  Policy | ReadonlyArray<Policy> | "unlimited"
>()("flange/RatePolicy") {}

/**
 * The annotation for what a request costs: how many requests it counts as, for each limit. A whole
 * number, by default 1. That of the endpoint wins over that of its group.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import { RateCost } from "flange/Contract"
 *
 * const report = HttpApiEndpoint.get("report", "/v1/report").annotate(RateCost, 20)
 * report.path // => "/v1/report"
 * ```
 */
export class RateCost extends Context.Service<RateCost, number>()("flange/RateCost") {}

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
