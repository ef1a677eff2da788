/** Test doubles of the cache: `TestCache` has caches in memory, which replicas may share. */

export * as TestCache from "./TestCache.ts"
