/** The battery as a plugin. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import * as HealthCheck from "../../Plugin/HealthCheck.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as Admin from "./Admin.ts"
import * as Backends from "./Backends.ts"
import { CacheConfig } from "./CacheConfig.ts"
import { CacheStore } from "./CacheStore.ts"
import { make } from "./Make.ts"
import { ObjectCache } from "./ObjectCache.ts"

/** Returns an id as the beginning of keys. Memcached takes no more than 250 bytes for a key. */
const namespaceOf = (id: string): string => encodeURIComponent(id.toWellFormed()).slice(0, 64)

const services = (redis: Redis.Redis["Service"] | undefined, defaultBackend: "memory" | "redis") =>
  Effect.gen(function* () {
    const config = yield* CacheConfig
    const { defaultTtl, singleFlight, timeout } = config
    const namespace = config.namespace ?? namespaceOf((yield* AppRuntime).id)
    const backend = config.backend ?? defaultBackend
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
  config: [CacheConfig],
  contributes: Admin.contributions,
  health: { cache: HealthCheck.make(ping, { class: "informational", timeout: "2 seconds" }) },
  provides: [CacheStore, ObjectCache]
} as const

/**
 * Provides `ObjectCache` in the memory of the process, or in Memcached with `cache.backend = "memcached"`.
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
 * App.describe(app).plugins[0]!.config // => ["cache"]
 * ```
 */
export const plugin = Plugin.make("flange:cache", {
  ...shared,
  layer: Layer.effectContext(services(undefined, "memory"))
})

/**
 * Provides `ObjectCache` in Redis or Valkey, or in another backend that `cache.backend` chooses. It
 * requires `Redis` of `effect/persistence`. List it in the place of `Cache.plugin`.
 *
 * @example
 * ```ts
 * import * as Cache from "flange/Cache"
 *
 * Cache.withRedis.id // => "flange:cache"
 * ```
 */
export const withRedis = Plugin.make("flange:cache", {
  ...shared,
  layer: Layer.effectContext(Effect.flatMap(Redis.Redis, (redis) => services(redis, "redis"))),
  requires: [Redis.Redis]
})
