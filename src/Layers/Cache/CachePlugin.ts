/** The battery as a plugin. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import * as HealthCheck from "../../Plugin/HealthCheck.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as PluginCheck from "../../Plugin/PluginCheck.ts"
import { SharedRedis } from "../../Plugin/SharedRedis.ts"
import * as Worker from "../../Plugin/Worker.ts"
import { ServerConfig } from "../../Server/ServerConfig.ts"
import * as Admin from "./Admin.ts"
import * as Backends from "./Backends.ts"
import type { RedisServices } from "./Broadcast.ts"
import { CacheConfig } from "./CacheConfig.ts"
import * as CacheKey from "./CacheKey.ts"
import { CacheStore } from "./CacheStore.ts"
import { make } from "./Make.ts"
import { ObjectCache } from "./ObjectCache.ts"
import { annotate } from "./Response/DocumentedReplies.ts"
import * as Replies from "./Response/Replies.ts"
import * as ReplyCheck from "./Response/ReplyCheck.ts"

const services = (redis: RedisServices | undefined, defaultBackend: "memory" | "redis") =>
  Effect.gen(function* () {
    const config = yield* CacheConfig
    const { defaultTtl, singleFlight, timeout } = config
    const prefix = redis?.shared.prefix ?? `${(yield* AppRuntime).id}:`
    const namespace = config.namespace ?? CacheKey.namespace(`${prefix}cache`)
    const backend = config.backend ?? defaultBackend
    if (backend === "memory") {
      yield* Worker.warnIfSeveral(
        (count) =>
          `Each of the ${count} processes of app.replicas and server.workers caches for itself, and an invalidation reaches one of them. List Redis.plugin and Cache.withRedis, with cache.backend "redis" or "tiers".`
      )
    }
    const { memory, store } = yield* Backends.open({ ...config, backend }, namespace, redis)
    const cache = yield* make(store, {
      defaultTtl,
      memory,
      namespace,
      singleFlight,
      timeout: backend === "memory" ? undefined : timeout
    })
    return Context.make(CacheStore, store).pipe(Context.add(ObjectCache, cache))
  })

/** Fails if the backend does. It reads a key that does not exist. */
const ping = Effect.flatMap(CacheStore, (store) => store.get(["flange:ping"]))

const shared = {
  annotate,
  config: [CacheConfig, ServerConfig],
  contributes: [...Admin.contributions, PluginCheck.kind.make("replies", ReplyCheck.check)],
  health: { cache: HealthCheck.make(ping, { class: "informational", timeout: "2 seconds" }) },
  middleware: [Replies.middleware],
  provides: [CacheStore, ObjectCache]
} as const

/**
 * Provides `ObjectCache` in the memory of the process, or in Memcached with `cache.backend = "memcached"`,
 * and caches the replies of endpoints with the annotation `ResponseCache`.
 * For Redis, list `Cache.withRedis` in its place.
 *
 * - config: section `cache`
 * - health: `cache`, informational
 * - metrics: `cache.lookups`, `cache.loads`, `cache.errors`, `cache.evictions` and `cache.memory.usage`,
 *   by the name of the cache
 * - admin port: `GET /cache` for the numbers, `POST /cache/invalidate` to forget values
 * - fails with `CacheBackendError` in its acquire phase if the package of the backend is not installed
 *
 * A backend that does not work fails no request: values are loaded as if there were no cache.
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Cache from "flange/Cache"
 *
 * const app = App.make("shop", [Cache.plugin], {
 *   config: { values: { cache: { maxMemory: "64 MiB" } } }
 * })
 * App.describe(app).plugins[0]!.config // => ["cache", "server"]
 * ```
 */
export const plugin = Plugin.make("flange:cache", {
  ...shared,
  layer: Layer.effectContext(services(undefined, "memory"))
})

/**
 * Provides `ObjectCache` in Redis or Valkey, or in another backend that `cache.backend` chooses. List
 * it in the place of `Cache.plugin`, together with `Redis.plugin`.
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Cache from "flange/Cache"
 * import * as Redis from "flange/Redis"
 *
 * const app = App.make("shop", [Cache.withRedis, Redis.plugin])
 * App.describe(app).plugins.map(({ id }) => id) // => ["flange:redis", "flange:cache"]
 * ```
 */
export const withRedis = Plugin.make("flange:cache", {
  ...shared,
  layer: Layer.effectContext(
    Effect.flatMap(Effect.all({ redis: Redis.Redis, shared: SharedRedis }), (redis) =>
      services(redis, "redis")
    )
  ),
  requires: [Redis.Redis, SharedRedis]
})
