/** The plugin that limits requests. */
import * as Layer from "effect/Layer"
import { Limited } from "../../Contract/RatePolicy.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as ContractMiddleware from "../../Server/Route/ContractMiddleware.ts"
import * as Limiter from "./Limiter.ts"
import { annotate } from "./OpenApiLimits.ts"
import { RateLimitConfig } from "./RateLimitConfig.ts"
import * as Store from "./Store.ts"

/**
 * Limits how many requests a caller may send: a token bucket for each caller of protected and
 * optional routes, `rateLimit.limit` in `rateLimit.window`. A `RatePolicy` in the contract sets
 * another limit for an endpoint or a group, also for a public one, or exempts it. Bare routes have
 * no limit.
 *
 * An authenticated caller is counted by chain and subject. Any other caller is counted by the
 * client's address, which `server.trustedProxies` determines, and for IPv6 by its /64 network.
 *
 * A request above the limit is answered with 429 `RATE_LIMITED` and `Retry-After`, before a
 * transaction begins. Replies have the remaining requests in `RateLimit` and the limit in
 * `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-11); `t` is the time until the next
 * request is granted. OpenAPI has 429 on every limited endpoint; the typed client has it if the
 * contract has `Limited`.
 *
 * The buckets are in the memory of the process: several replicas allow several times the limit. If
 * another `Store` fails, requests pass and the failure is logged.
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as RateLimit from "flange/RateLimit"
 *
 * const app = App.make("shop", [RateLimit.plugin], {
 *   config: { values: { rateLimit: { limit: 100, window: "1 minute" } } }
 * })
 * App.describe(app).plugins[0]!.config // => ["rateLimit"]
 * ```
 */
export const plugin = Plugin.make("flange:rate-limit", {
  annotate,
  config: [RateLimitConfig],
  layer: Layer.merge(Store.layer, Layer.succeed(Limited, ContractMiddleware.errorsOnly)),
  middleware: [Limiter.requests, Limiter.policies],
  provides: [Limited, Store.Store]
})
