/** The service `ObjectCache`. */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { CacheKey, Segment, Target } from "./CacheKey.ts"
import type { Numbers } from "./Counts.ts"

/** The options of a value. */
export interface ReadOptions<in out A> {
  /**
   * The schema of the value. Declare it once: its functions are compiled once for each schema object,
   * and callers share a load only if they have the same one. A stored value that it cannot decode counts
   * as a miss.
   */
  readonly schema: Schema.Codec<A, unknown>
}

/** The options of a value that is stored. */
export interface WriteOptions<in out A> extends ReadOptions<A> {
  /** Names under which the value can be invalidated together with others. Default: none. */
  readonly tags?: ReadonlyArray<Segment> | undefined
  /**
   * How long the value is fresh. It is shortened at random by up to a tenth, so that values which were
   * stored together are not loaded again together. Default: `cache.defaultTtl`.
   */
  readonly ttl?: Duration.Input | undefined
}

/** The failures of a load that are stored. */
export interface StoredFailures<in out F> {
  /** The schema of the failures. A failure that does not fit is not stored. */
  readonly schema: Schema.Codec<F, unknown>
  /** How long a failure is fresh. Default: the `ttl` of the value. */
  readonly ttl?: Duration.Input | undefined
}

/** The options of `getOrLoad`. */
export interface LoadOptions<in out A, in out F = never> extends WriteOptions<A> {
  /** The failures of the load that are stored. Default: none. Defects are never stored. */
  readonly failures?: StoredFailures<F> | undefined
  /**
   * Whether only one process loads the value at a time. The others wait for it, for at most 30 seconds.
   * The lock of a process that died ends after 10 seconds. Default: false.
   */
  readonly lock?: boolean | undefined
  /**
   * How long after `ttl` the value is still returned if a load fails. Default: not at all.
   */
  readonly staleIfError?: Duration.Input | undefined
  /**
   * How long after `ttl` the value is still returned while it is loaded again in the background.
   * Default: not at all.
   */
  readonly staleWhileRevalidate?: Duration.Input | undefined
}

/** The numbers of a cache, since the start of the process. */
export interface Stats {
  readonly backend: string
  /** By the name of the cache: the first segment of its keys. */
  readonly caches: Readonly<Record<string, Readonly<Numbers>>>
  /** The failures of the backend. */
  readonly errors: number
}

/** The methods of `ObjectCache`. A backend that does not work fails none of them. */
export interface Shape {
  /** Returns a value that was stored. Counts as a miss if there is none. */
  readonly get: <A>(key: CacheKey, options: ReadOptions<A>) => Effect.Effect<Option.Option<A>>
  /** Returns the values of several keys, in their order, with one question to the backend. */
  readonly getMany: <A>(
    keys: ReadonlyArray<CacheKey>,
    options: ReadOptions<A>
  ) => Effect.Effect<ReadonlyArray<Option.Option<A>>>
  /**
   * Returns the stored value, or loads and stores it. Callers in one process that miss the same key
   * share one load. It has the services of the first of them, and a scope of its own. It is interrupted
   * when no caller waits any more. What it loads is not stored if the key was invalidated meanwhile, or
   * if it took longer than five minutes.
   *
   * In a transaction that has invalidated or set the key, the value is loaded and not stored.
   */
  readonly getOrLoad: <A, E, R, F = never>(
    key: CacheKey,
    options: LoadOptions<A, F>,
    load: Effect.Effect<NoInfer<A>, E, R>
  ) => Effect.Effect<A, E | F, Exclude<R, Scope.Scope>>
  /**
   * Forgets values: by key, by the beginning of keys or by tag. It costs the same for one value as for
   * a million. In a transaction it happens after the commit, and not after a rollback. While the backend
   * does not answer, this process does not use the values, and sends the invalidation again.
   */
  readonly invalidate: (...targets: ReadonlyArray<Target>) => Effect.Effect<void>
  /**
   * Returns a fresh value that is in the memory of the process, without waiting. Undefined if there is
   * none there, or if the backend has no memory: ask `getOrLoad` then. Does not count as a miss. Several
   * calls may return one object: do not change it. Do not call it in a transaction, whose
   * invalidations it does not see.
   */
  readonly peek: <A>(
    key: CacheKey,
    options: Pick<WriteOptions<A>, "schema" | "tags">,
    /** Unix milliseconds. */
    now: number
  ) => A | undefined
  /**
   * Stores a value. In a transaction it happens after the commit, and not after a rollback; until then the
   * transaction does not use what is stored.
   */
  readonly set: <A>(
    key: CacheKey,
    value: NoInfer<A>,
    options: WriteOptions<A>
  ) => Effect.Effect<void>
  /** Stores several values, as `set` does. */
  readonly setMany: <A>(
    entries: Iterable<readonly [key: CacheKey, value: NoInfer<A>]>,
    options: WriteOptions<A>
  ) => Effect.Effect<void>
  /** Returns what the cache did. */
  readonly stats: Effect.Effect<Stats>
}

/**
 * Keeps values of a schema, by key. `Cache.plugin` provides it.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import { CacheKey, ObjectCache } from "flange/Cache"
 * import { TestCache } from "flange/Cache/Testing"
 *
 * const Summary = Schema.Struct({ id: Schema.Int, title: Schema.String })
 * let loads = 0
 *
 * const summary = Effect.fn(function* (id: number) {
 *   const cache = yield* ObjectCache
 *   return yield* cache.getOrLoad(
 *     CacheKey.of("products", id, "summary"),
 *     { schema: Summary, ttl: "1 minute" },
 *     Effect.sync(() => ({ id, title: `Loaded ${++loads} times` }))
 *   )
 * })
 *
 * const twice = Effect.andThen(summary(7), summary(7))
 * const { title } = await Effect.runPromise(Effect.provide(twice, TestCache.layer()))
 * title // => "Loaded 1 times"
 * ```
 */
export class ObjectCache extends Context.Service<ObjectCache, Shape>()(
  "flange/Cache/ObjectCache"
) {}
