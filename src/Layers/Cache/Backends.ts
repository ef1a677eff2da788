/** Opens the backend that the section chooses. */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { RedisServices } from "./Broadcast.ts"
import type { Backend, CacheConfig } from "./CacheConfig.ts"
import type { Store } from "./CacheStore.ts"
import type { MemoryStore } from "./MemoryStore.ts"

/** The package of the chosen backend is not installed, or the plugin does not have the backend. */
export class CacheBackendError extends Data.TaggedError("CacheBackendError")<{
  readonly backend: Backend
  readonly message: string
}> {}

/** An open backend. */
export interface Opened {
  /** The memory that it uses in the process. */
  readonly memory: MemoryStore | undefined
  readonly store: Store
}

/** Imports a module of a backend, whose package is an optional peer. */
const load = <A>(
  backend: Backend,
  name: string,
  module: () => Promise<A>
): Effect.Effect<A, CacheBackendError> =>
  Effect.tryPromise({
    catch: (cause) =>
      new CacheBackendError({
        backend,
        message: `The backend "${backend}" of the cache needs the package ${name}, which cannot be loaded: ${String(cause)}. Install it with npm install ${name}.`
      }),
    try: module
  })

const memoryOf = (backend: Backend, bytes: number) =>
  Effect.map(
    load(backend, "lru-cache", () => import("./MemoryStore.ts")),
    ({ MemoryStore }) => new MemoryStore(bytes)
  )

const noRedis = (backend: Backend) =>
  new CacheBackendError({
    backend,
    message: `cache.backend is "${backend}", and Cache.plugin has no Redis. List Redis.plugin and Cache.withRedis in its place, or choose "memory" or "memcached".`
  })

/** Opens the backend of the section, until the scope closes. */
export const open = (
  { backend = "memory", maxMemory, memcached, memoryTtl }: (typeof CacheConfig)["Service"],
  namespace: string,
  redis: RedisServices | undefined
): Effect.Effect<Opened, CacheBackendError, Scope.Scope> =>
  Effect.gen(function* () {
    switch (backend) {
      case "memcached": {
        const { MemcachedStore } = yield* load(
          backend,
          "memcache",
          () => import("./MemcachedStore.ts")
        )
        return { memory: undefined, store: yield* MemcachedStore.make(memcached) }
      }
      case "memory": {
        const memory = yield* memoryOf(backend, maxMemory)
        return { memory, store: memory }
      }
      case "redis": {
        if (redis === undefined) return yield* noRedis(backend)
        const { RedisStore } = yield* Effect.promise(() => import("./RedisStore.ts"))
        return { memory: undefined, store: new RedisStore(redis.redis) }
      }
      case "tiers": {
        if (redis === undefined) return yield* noRedis(backend)
        const memory = yield* memoryOf(backend, maxMemory)
        const [Broadcast, { RedisStore }, { TieredStore }] = yield* Effect.promise(() =>
          Promise.all([
            import("./Broadcast.ts"),
            import("./RedisStore.ts"),
            import("./TieredStore.ts")
          ])
        )
        const broadcast = Broadcast.make(redis, namespace)
        const ttl = Duration.toMillis(memoryTtl)
        const store = new TieredStore(new RedisStore(redis.redis), memory, ttl, broadcast)
        yield* Effect.forkScoped(broadcast.listen(store))
        return { memory, store }
      }
    }
  })
