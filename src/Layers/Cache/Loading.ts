/** Loads values that the store does not have. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { Warning } from "../../Plugin/Warning.ts"
import { makeId } from "./CacheStore.ts"
import type { Counts, Result } from "./Counts.ts"
import type { Entry } from "./Entry.ts"
import { Flights } from "./Flights.ts"
import type { Guard } from "./Guard.ts"
import * as JsonCodec from "./JsonCodec.ts"
import { withLock } from "./Lock.ts"
import type { LoadOptions } from "./ObjectCache.ts"
import type { Pending } from "./Pending.ts"
import type { Found, Plan, Records } from "./Records.ts"
import { millisOf, type Times, type Writing } from "./Writing.ts"

/** How long a load may take whose value is stored. */
const longestLoad = 300_000

/** The parts of a cache that a load uses. */
export interface Parts {
  readonly counts: Counts
  readonly guard: Guard
  readonly pending: Pending
  readonly records: Records
  readonly scope: Scope.Scope
  readonly writing: Writing
}

/** One call of `getOrLoad`. */
export interface Call<A, E, R, F> {
  readonly load: Effect.Effect<A, E, R>
  readonly options: LoadOptions<A, F>
  readonly plan: Plan
}

/** A value that can be returned instead of a load, and how the look-up ended. */
interface Usable<A, E> {
  /** Undefined if there is no such value. */
  readonly exit: Exit.Exit<A, E> | undefined
  readonly result: Result
}

const missing = { exit: undefined, result: "miss" } as const

/** Whether the caller has a span that is recorded. */
const isTraced = (context: Context.Context<never>): boolean =>
  Context.getOrUndefined(context as Context.Context<Tracer.ParentSpan>, Tracer.ParentSpan)
    ?.sampled === true

/** Loads values, and stores them. */
export class Loading {
  readonly #parts: Parts
  readonly #refreshes: Flights
  readonly #warning = new Warning()

  constructor(parts: Parts) {
    this.#parts = parts
    this.#refreshes = new Flights(parts.scope)
  }

  /** Loads a value for one caller, without the store. */
  alone<A, E, R, F>(call: Call<A, E, R, F>): Effect.Effect<A, E | F, R> {
    return Effect.withFiber((fiber) => {
      this.#parts.counts.lookup(call.plan.key.name, "miss", fiber.context)
      return this.#measured(call)
    })
  }

  /** Returns the value of an entry that is fresh; undefined if it is not, or cannot be decoded. */
  fresh<A, F>(
    options: LoadOptions<A, F>,
    entry: Entry | undefined,
    now: number
  ): Effect.Effect<Exit.Exit<A, F> | undefined> {
    return entry === undefined || now >= entry.freshUntil
      ? Effect.undefined
      : this.#decoded(options, entry)
  }

  /** Returns the stored value, or loads and stores it. */
  run<A, E, R, F>(call: Call<A, E, R, F>): Effect.Effect<A, E | F, R> {
    const { counts, records } = this.#parts
    const { plan } = call
    return Effect.withFiber((fiber) =>
      Effect.flatMap(records.read([plan]), (all) => {
        if (all === undefined) return this.alone(call)
        const found = all[0]!
        return Effect.flatMap(this.#usable(call, found), ({ exit, result }) => {
          counts.lookup(plan.key.name, result, fiber.context)
          if (exit === undefined) return this.#locked(call, found)
          return result === "stale" ? Effect.andThen(this.#refreshed(call, found), exit) : exit
        })
      })
    )
  }

  /** Returns the stored value or failure; undefined if the schema cannot decode it. */
  #decoded<A, F>(
    { failures, schema }: LoadOptions<A, F>,
    { failed, value }: Entry
  ): Effect.Effect<Exit.Exit<A, F> | undefined> {
    if (!failed) return exitOf(JsonCodec.of(schema).decode(value), Exit.succeed)
    return failures === undefined
      ? Effect.undefined
      : exitOf(JsonCodec.of(failures.schema).decode(value), Exit.fail)
  }

  /** Loads, in one process at a time if the options say so. */
  #locked<A, E, R, F>(call: Call<A, E, R, F>, found: Found): Effect.Effect<A, E | F, R> {
    const { guard, records } = this.#parts
    if (call.options.lock !== true) return this.#stored(call, found)
    return withLock(guard, records.namespace, call.plan, {
      again: Effect.flatMap(records.read([call.plan]), (all) =>
        all === undefined
          ? Effect.undefined
          : Effect.map(this.#usable(call, all[0]!), ({ exit }) => exit)
      ),
      load: this.#stored(call, found)
    })
  }

  /** Runs the load in a scope of its own, and counts it. */
  #measured<A, E, R, F>({ load, plan }: Call<A, E, R, F>): Effect.Effect<A, E | F, R> {
    const { name } = plan.key
    // The scope is one of the services that the caller's type still has.
    const scoped = Effect.scoped(load) as Effect.Effect<A, E, R>
    return Effect.withFiber((fiber) => {
      const traced = isTraced(fiber.context)
        ? Effect.withSpan(scoped, `cache.load ${name}`, { attributes: { "cache.name": name } })
        : scoped
      return Effect.onExitPrimitive(traced, (exit) => {
        if (Exit.isSuccess(exit) || !Cause.hasInterruptsOnly(exit.cause)) {
          const outcome = Exit.isSuccess(exit) ? "success" : "failure"
          this.#parts.counts.load(name, outcome, fiber.context)
        }
        return undefined
      })
    })
  }

  /** Loads in the background, after the transaction of the caller, whose services end before. */
  #refreshed<A, E, R, F>(call: Call<A, E, R, F>, found: Found): Effect.Effect<void, never, R> {
    const { name } = call.plan.key
    // What takes longer is not stored, and would keep others from loading it.
    const limited = Effect.timeout(this.#locked(call, found), longestLoad)
    const refresh = Effect.tapCause(limited, (cause) =>
      Cause.hasInterruptsOnly(cause) ? Effect.void : this.#warn(name, cause)
    )
    return this.#parts.pending.afterCommit(
      this.#refreshes.startAlone(call.plan, call.options.schema, refresh)
    )
  }

  /** Loads the value and stores it. */
  #stored<A, E, R, F>(call: Call<A, E, R, F>, found: Found): Effect.Effect<A, E | F, R> {
    const { counts, guard, records } = this.#parts
    const { options, plan } = call
    const times = this.#times(options)
    const { entryKey, key } = plan
    const claims = [
      // The mark of the load, unless there is a record already. An invalidation removes it.
      { extend: false, key: entryKey, ttl: longestLoad },
      ...records.claims(plan, times.ttl + Math.max(times.ifError, times.whileRevalidate))
    ]
    return Effect.withFiber((fiber) =>
      Effect.flatMap(guard.ensure(claims, makeId()), (ids) =>
        Effect.flatMap(Effect.exit(this.#measured(call)), (exit) => {
          if (Exit.isFailure(exit) && Cause.hasInterrupts(exit.cause)) return exit
          const store = ids === undefined ? Effect.void : this.#store(call, exit, ids, times)
          return Effect.flatMap(store, () => {
            counts.memory(fiber.context)
            if (Exit.isSuccess(exit)) return exit
            return Effect.flatMap(this.#instead(call, found), (stale) => {
              if (stale === undefined) return exit
              counts.lookup(key.name, "stale", fiber.context)
              return Effect.andThen(this.#warn(key.name, exit.cause), stale)
            })
          })
        })
      )
    )
  }

  /** Returns the old value that may be returned because the load failed. */
  #instead<A, E, R, F>(
    { options }: Call<A, E, R, F>,
    { entry }: Found
  ): Effect.Effect<Exit.Exit<A, F> | undefined> {
    if (entry === undefined || entry.failed || options.staleIfError === undefined) {
      return Effect.undefined
    }
    return Effect.flatMap(Clock.currentTimeMillis, (now) =>
      now < entry.freshUntil + millisOf(options.staleIfError ?? 0)
        ? this.#decoded(options, entry)
        : Effect.undefined
    )
  }

  /** Stores the exit of a load, if the record is still the one from before the load. */
  #store<A, E, R, F>(
    { options, plan }: Call<A, E, R, F>,
    exit: Exit.Exit<A, E>,
    [id, ...versions]: ReadonlyArray<string>,
    times: Times
  ): Effect.Effect<void> {
    const { guard, writing } = this.#parts
    const joined = versions.join("")
    const { failures } = options
    const error = Exit.isFailure(exit) ? Cause.findErrorOption(exit.cause) : Option.none()
    const item = Exit.isSuccess(exit)
      ? writing.item(plan, options, exit.value, joined, { failed: false, times })
      : failures !== undefined && Option.isSome(error) && Schema.is(failures.schema)(error.value)
        ? writing.item(plan, failures, error.value, joined, {
            failed: true,
            times: {
              ifError: 0,
              ttl: writing.ttlOf(failures.ttl ?? options.ttl),
              whileRevalidate: 0
            }
          })
        : Effect.undefined
    return Effect.flatMap(item, (made) =>
      made === undefined ? Effect.void : Effect.asVoid(guard.replace(plan.entryKey, id, made))
    )
  }

  #times<A, F>({ staleIfError, staleWhileRevalidate, ttl }: LoadOptions<A, F>): Times {
    return {
      ifError: millisOf(staleIfError ?? 0),
      ttl: this.#parts.writing.ttlOf(ttl),
      whileRevalidate: millisOf(staleWhileRevalidate ?? 0)
    }
  }

  #warn(name: string, cause: Cause.Cause<unknown>): Effect.Effect<unknown> {
    const message = `A value of the cache "${name}" could not be loaded again, and the old one is used`
    return this.#warning.log(message, cause)
  }

  /** Returns what can be returned without a load: a fresh value, or one that may be old. */
  #usable<A, E, R, F>(
    { options }: Call<A, E, R, F>,
    { entry }: Found
  ): Effect.Effect<Usable<A, F>> {
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (entry === undefined || (entry.failed && options.failures === undefined)) {
        return Effect.succeed(missing)
      }
      const isFresh = now < entry.freshUntil
      const mayBeOld = options.staleWhileRevalidate !== undefined && now < entry.usableUntil
      if (!isFresh && !mayBeOld) return Effect.succeed(missing)
      return Effect.map(this.#decoded(options, entry), (exit): Usable<A, F> => ({
        exit,
        result: exit === undefined ? "undecodable" : isFresh ? "hit" : "stale"
      }))
    })
  }
}

/** Returns the exit that is made of what an effect returns; undefined if it fails or throws. */
const exitOf = <A, B, E>(
  effect: Effect.Effect<A, Schema.SchemaError>,
  make: (value: A) => Exit.Exit<B, E>
): Effect.Effect<Exit.Exit<B, E> | undefined> =>
  Effect.matchCauseEffect(effect, {
    onFailure: () => Effect.undefined,
    onSuccess: (value) => Effect.succeed(make(value))
  })
