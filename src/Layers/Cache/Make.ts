/** Makes the service `ObjectCache` over a store. */
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import { type CacheKey, covers } from "./CacheKey.ts"
import type { Store } from "./CacheStore.ts"
import { Counts } from "./Counts.ts"
import { Flights } from "./Flights.ts"
import { Guard } from "./Guard.ts"
import * as JsonCodec from "./JsonCodec.ts"
import { type Call, Loading } from "./Loading.ts"
import type { MemoryStore } from "./MemoryStore.ts"
import type { LoadOptions, ReadOptions, Shape, WriteOptions } from "./ObjectCache.ts"
import { Pending } from "./Pending.ts"
import { Recent } from "./Recent.ts"
import { Records } from "./Records.ts"
import { Writing } from "./Writing.ts"

/** The settings of a cache. */
export interface Settings {
  readonly defaultTtl: Duration.Duration
  /** The memory whose use is measured. */
  readonly memory: MemoryStore | undefined
  readonly namespace: string
  readonly singleFlight: boolean
  /** Undefined for a store that neither fails nor waits. */
  readonly timeout: Duration.Duration | undefined
}

/** Makes a cache. Its loads in the background are interrupted when the scope closes. */
export const make = (store: Store, settings: Settings) =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const context = yield* Effect.context<never>()
    const pending = new Pending(yield* Effect.serviceOption(AppRuntime))
    const counts = new Counts(settings.memory)
    const guard = new Guard(store, counts, scope, settings.timeout)
    const records = new Records(settings.namespace, guard)
    const writing = new Writing(records, guard, settings.defaultTtl)
    const flights = new Flights(scope)
    const recent = new Recent()
    const loading = new Loading({ counts, guard, pending, records, scope, writing })

    const getMany = <A>(keys: ReadonlyArray<CacheKey>, options: ReadOptions<A>) =>
      Effect.withFiber<ReadonlyArray<Option.Option<A>>>((fiber) => {
        const plans = keys.map((key) => records.plan(key, undefined))
        return Effect.flatMap(records.read(plans), (found) =>
          Effect.forEach(plans, ({ key }, i) =>
            Effect.gen(function* () {
              const entry = found?.[i]?.entry
              const isChanged = entry !== undefined && (yield* pending.covers(key, entry.tags))
              const now = yield* Clock.currentTimeMillis
              const exit = isChanged ? undefined : yield* loading.fresh(options, entry, now)
              const isUsable = entry !== undefined && !entry.failed && !isChanged
              const isFresh = isUsable && now < entry.freshUntil
              const result = exit !== undefined ? "hit" : isFresh ? "undecodable" : "miss"
              counts.lookup(key.name, result, fiber.context)
              return exit === undefined ? Option.none<A>() : Exit.getSuccess(exit)
            })
          )
        )
      })

    const load = <A, E, R, F>(call: Call<A, E, R, F>): Effect.Effect<A, E | F, R> => {
      const { options, plan } = call
      const running = loading.run(call)
      const shared = settings.singleFlight ? flights.run(plan, options.schema, running) : running
      return Effect.withFiber((fiber) => {
        const now = fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()
        const entry = records.peek(plan, now)?.entry
        if (entry === undefined || now >= entry.freshUntil) return shared
        return Effect.flatMap(loading.fresh(options, entry, now), (exit) => {
          if (exit === undefined) return shared
          counts.lookup(plan.key.name, "hit", fiber.context)
          return exit
        })
      })
    }

    const setMany = <A>(
      entries: Iterable<readonly [key: CacheKey, value: A]>,
      options: WriteOptions<A>
    ): Effect.Effect<void> => {
      const plans = Array.from(
        entries,
        ([key, value]) => [records.plan(key, options.tags), value] as const
      )
      return pending.change(
        plans.map(([{ key }]) => key),
        Effect.tap(
          writing.set(plans, options),
          Effect.withFiber((fiber) => Effect.sync(() => counts.memory(fiber.context)))
        )
      )
    }

    const shape: Shape = {
      get: (key, options) => Effect.map(getMany([key], options), ([first]) => first!),
      getMany,
      getOrLoad: <A, E, R, F = never>(
        key: CacheKey,
        options: LoadOptions<A, F>,
        effect: Effect.Effect<A, E, R>
      ) => {
        const plan = records.plan(key, options.tags)
        const call = { load: effect, options, plan }
        const result = Effect.flatMap(pending.covers(key, plan.tags), (isChanged) =>
          isChanged ? loading.alone(call) : load(call)
        )
        return result as Effect.Effect<A, E | F, never>
      },
      invalidate: (...targets) =>
        pending.change(
          targets,
          Effect.andThen(
            guard.delete(records.removed(targets)),
            Effect.sync(() =>
              flights.forget(({ key, tags }) => targets.some((one) => covers(one, key, tags)))
            )
          )
        ),
      peek: <A>(
        key: CacheKey,
        { schema, tags }: Pick<WriteOptions<A>, "schema" | "tags">,
        now: number
      ) => {
        const entry = records.peek(recent.plan(records, key, tags), now, recent.parse)?.entry
        if (entry === undefined || entry.failed || now >= entry.freshUntil) return undefined
        const value = recent.value(entry, schema, () => {
          const decoded = JsonCodec.of(schema).decode(entry.value)
          return Exit.isExit(decoded) && Exit.isSuccess(decoded) ? decoded.value : undefined
        })
        if (value === undefined) return undefined
        counts.lookup(key.name, "hit", context)
        // The schema has decoded it.
        return value as A
      },
      set: (key, value, options) => setMany([[key, value]], options),
      setMany,
      stats: Effect.sync(() => ({
        backend: store.backend,
        caches: counts.snapshot(),
        errors: counts.errors
      }))
    }
    return shape
  })
