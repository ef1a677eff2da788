/** The battery as a plugin. */
import * as Layer from "effect/Layer"
import { Limited } from "../../Contract/RatePolicy.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as ContractMiddleware from "../../Server/Route/ContractMiddleware.ts"
import * as Limiter from "./Limiter.ts"
import { annotate } from "./OpenApiLimits.ts"
import { RateLimitConfig } from "./RateLimitConfig.ts"
import * as Store from "./Store.ts"

/**
 * Limits how many requests a caller may send: a token bucket for each caller of
 * protected and optional routes, `rateLimit.limit` in `rateLimit.window`. A
 * `RatePolicy` in the contract gives an endpoint or a group a limit of its own,
 * also a public one, or none. Bare routes have no limit.
 *
 * A caller is who authentication says, by chain and subject; without a subject the
 * client's address as `server.trustedProxies` lets it be known, of IPv6 its /64.
 *
 * A request too many is answered with 429 `RATE_LIMITED` and `Retry-After`, before
 * a transaction begins. Replies say what is left in `RateLimit` and
 * `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-11); `t` is the time
 * until the next request is granted. OpenAPI has 429 on every limited endpoint;
 * the typed client has it where the contract says `Limited`.
 *
 * The buckets are in the memory of the process: several replicas allow several
 * times the limit. Where another `Store` fails, requests pass and the log says so.
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
