/** The plugin that limits requests. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import { Limited } from "../../Contract/RatePolicy.ts"
import { AppConfig } from "../../Plugin/AppConfig.ts"
import * as Metering from "../../Plugin/Metering.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as PluginCheck from "../../Plugin/PluginCheck.ts"
import { SharedRedis } from "../../Plugin/SharedRedis.ts"
import * as ContractMiddleware from "../../Server/Route/ContractMiddleware.ts"
import * as Backend from "./Backend.ts"
import * as LimitCheck from "./LimitCheck.ts"
import * as Limiter from "./Limiter.ts"
import { MemoryStore } from "./MemoryStore.ts"
import { annotate } from "./OpenApiLimits.ts"
import { RateLimitConfig } from "./RateLimitConfig.ts"
import { Store } from "./Store.ts"

const services = (redis: Backend.RedisServices | undefined, backend: "memory" | "redis") =>
  Effect.gen(function* () {
    const store = yield* Backend.open(redis, backend)
    if (store instanceof MemoryStore) {
      yield* Metering.readings([
        {
          description: "Counts of rate limits that are kept in memory",
          id: "flange.rate_limit.keys",
          read: () => store.size,
          type: "gauge"
        }
      ])
    }
    return Context.make(Store, store).pipe(Context.add(Limited, ContractMiddleware.errorsOnly))
  })

const parts = {
  annotate,
  config: [AppConfig, RateLimitConfig],
  contributes: [PluginCheck.kind.make("rate-limits", LimitCheck.check)],
  middleware: [Limiter.addresses, Limiter.requests, Limiter.policies],
  provides: [Limited, Store]
} as const

/**
 * Limits how many requests a caller may send: a count for each caller of protected and
 * optional routes, `rateLimit.limit` in `rateLimit.window`. A `RatePolicy` in the contract sets
 * another limit for an endpoint or a group, also for a public one, or exempts it, and `RateCost` says
 * how many requests one counts as. Bare routes have no limit.
 *
 * An authenticated caller is counted by chain and subject. Any other caller is counted by the
 * client's address, which `server.trustedProxies` determines, and for IPv6 by its /64 network. Limits
 * by address are checked before authentication; see also `RateLimit.key`.
 *
 * A request above a limit is answered with 429 `RATE_LIMITED` and `Retry-After`, before a
 * transaction begins. Replies have the remaining requests in `RateLimit` and the limits in
 * `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-11); `t` is the time until the next
 * request is granted. OpenAPI has 429 on every limited endpoint; the typed client has it if the
 * contract has `Limited`.
 *
 * The counts are in the memory of the process, so that several replicas allow several times the limit;
 * with `app.replicas` above 1 the start warns of it. `RateLimit.withRedis` counts for all of them.
 *
 * - config: section `rateLimit`
 * - metrics: `flange.rate_limit.requests` by limit and outcome, `flange.rate_limit.keys`
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as RateLimit from "flange/RateLimit"
 *
 * const app = App.make("shop", [RateLimit.plugin], {
 *   config: { values: { rateLimit: { limit: 100, window: "1 minute" } } }
 * })
 * App.describe(app).plugins[0]!.config // => ["app", "rateLimit"]
 * ```
 */
export const plugin = Plugin.make("flange:rate-limit", {
  ...parts,
  layer: Layer.effectContext(services(undefined, "memory"))
})

/**
 * Limits requests as `RateLimit.plugin` does, and counts them in Redis or Valkey: exactly the limit
 * over all processes of the app, with one round trip for each request. List it in the place of
 * `RateLimit.plugin`, together with `Redis.plugin`.
 *
 * If Redis does not decide within `rateLimit.timeout`, the request passes, or is answered with 503 if
 * `rateLimit.onOutage` is `closed`. Redis is then left alone for a second. Each such request counts as
 * `failed` in the metric, and the log has a warning at most once a minute.
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as RateLimit from "flange/RateLimit"
 * import * as Redis from "flange/Redis"
 *
 * const app = App.make("shop", [RateLimit.withRedis, Redis.plugin])
 * App.describe(app).plugins.map(({ id }) => id) // => ["flange:redis", "flange:rate-limit"]
 * ```
 */
export const withRedis = Plugin.make("flange:rate-limit", {
  ...parts,
  layer: Layer.effectContext(
    Effect.flatMap(Effect.all({ redis: Redis.Redis, shared: SharedRedis }), (redis) =>
      services(redis, "redis")
    )
  ),
  requires: [Redis.Redis, SharedRedis]
})
