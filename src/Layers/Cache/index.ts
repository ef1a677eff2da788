/** Caches: values of a schema in memory, Redis or Memcached. */

export { CacheBackendError } from "./Backends.ts"
export { CacheConfig } from "./CacheConfig.ts"
export * as CacheKey from "./CacheKey.ts"
export { plugin, withRedis } from "./CachePlugin.ts"
export { CacheStore, CacheStoreError, type Store } from "./CacheStore.ts"
export { CachePolicy, ResponseCache } from "./Contract.ts"
export {
  type LoadOptions,
  ObjectCache,
  type ReadOptions,
  type Shape,
  type Stats,
  type StoredFailures,
  type WriteOptions
} from "./ObjectCache.ts"
