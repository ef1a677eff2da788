/** The cache in tests. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CacheStore, type Store } from "./CacheStore.ts"
import { make } from "./Make.ts"
import { MemoryStore } from "./MemoryStore.ts"
import { ObjectCache } from "./ObjectCache.ts"

/**
 * Creates a store in memory that several replicas share in one test.
 *
 * @example
 * ```ts
 * import { TestCache } from "flange/Cache/Testing"
 *
 * TestCache.store().backend // => "memory"
 * ```
 */
export const store = (): Store => new MemoryStore(2 ** 24)

/**
 * Creates a layer of the cache. Give it to a test, or to `replace` of `TestApp.make` in the place of
 * `Cache.plugin`. It uses the clock of the fiber that calls it: values expire when a test adjusts the
 * test clock. Two layers with one store are two replicas: each has its own loads in progress.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import * as Schema from "effect/Schema"
 * import { CacheKey, ObjectCache } from "flange/Cache"
 * import { TestCache } from "flange/Cache/Testing"
 *
 * const key = CacheKey.of("greetings", "ada")
 * const options = { schema: Schema.String }
 * const write = ObjectCache.use((cache) => cache.set(key, "Hello", options))
 * const read = ObjectCache.use((cache) => cache.get(key, options))
 *
 * const store = TestCache.store()
 * await Effect.runPromise(Effect.provide(write, TestCache.layer({ store })))
 * const found = await Effect.runPromise(Effect.provide(read, TestCache.layer({ store })))
 * Option.getOrThrow(found) // => "Hello"
 * ```
 */
export const layer = (
  options: {
    /** The store. Default: a new one in memory. */
    readonly store?: Store | undefined
  } = {}
): Layer.Layer<CacheStore | ObjectCache> =>
  Layer.unwrap(
    Effect.sync(() => {
      const kept = options.store ?? store()
      return Layer.merge(
        Layer.succeed(CacheStore, kept),
        Layer.effect(
          ObjectCache,
          make(kept, {
            defaultTtl: Duration.minutes(5),
            memory: kept instanceof MemoryStore ? kept : undefined,
            namespace: "test",
            singleFlight: true,
            timeout: kept instanceof MemoryStore ? undefined : Duration.seconds(1)
          })
        )
      )
    })
  )
