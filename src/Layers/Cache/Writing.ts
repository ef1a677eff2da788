/** Stores values. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { Warning } from "../../Plugin/Warning.ts"
import { type Item, makeId } from "./CacheStore.ts"
import * as Entry from "./Entry.ts"
import type { Guard } from "./Guard.ts"
import * as JsonCodec from "./JsonCodec.ts"
import type { WriteOptions } from "./ObjectCache.ts"
import type { Plan, Records } from "./Records.ts"

/** How long a value is used, in milliseconds. */
export interface Times {
  /** How long after `ttl` it is used if a load fails. */
  readonly ifError: number
  readonly ttl: number
  /** How long after `ttl` it is used while it is loaded again. */
  readonly whileRevalidate: number
}

/** The largest part of the ttl by which it is shortened at random. */
const jitter = 0.1

/** A year. `Infinity` has no form in JSON. */
const longest = 365 * 86_400_000

/** Returns the milliseconds of a duration, at most a year. */
export const millisOf = (time: Duration.Input): number => Math.min(longest, Duration.toMillis(time))

/** Writes values into the store. */
export class Writing {
  readonly #defaultTtl: Duration.Duration
  readonly #guard: Guard
  readonly #records: Records
  readonly #warning = new Warning()

  constructor(records: Records, guard: Guard, defaultTtl: Duration.Duration) {
    this.#defaultTtl = defaultTtl
    this.#guard = guard
    this.#records = records
  }

  /** Returns the item that stores a value; undefined if the schema cannot encode it, which is logged. */
  item<A>(
    plan: Plan,
    { schema }: Pick<WriteOptions<A>, "schema">,
    value: unknown,
    versions: string,
    { failed, times }: { readonly failed: boolean; readonly times: Times }
  ): Effect.Effect<Item | undefined> {
    return JsonCodec.of(schema)
      .encode(value)
      .pipe(
        Effect.flatMap((encoded) =>
          Effect.map(Effect.zip(Clock.currentTimeMillis, Random.next), ([now, random]): Item => {
            const freshUntil = Math.round(now + times.ttl * (1 - jitter * random))
            const usableUntil = freshUntil + times.whileRevalidate
            const keptUntil = freshUntil + Math.max(times.ifError, times.whileRevalidate)
            const { tags } = plan
            return {
              key: plan.entryKey,
              ttl: keptUntil - now,
              value: Entry.print({
                failed,
                freshUntil,
                keptUntil,
                tags,
                usableUntil,
                value: encoded,
                versions
              })
            }
          })
        ),
        Effect.catchCause((cause) =>
          Effect.as(
            this.#warning.log(
              `A value of the cache "${plan.key.name}" was not stored: its schema cannot encode it`,
              cause
            ),
            undefined
          )
        )
      )
  }

  /** Writes values and replaces those that are stored. */
  set<A>(
    plans: ReadonlyArray<readonly [plan: Plan, value: A]>,
    options: WriteOptions<A>
  ): Effect.Effect<void> {
    const times: Times = { ifError: 0, ttl: this.ttlOf(options.ttl), whileRevalidate: 0 }
    const claims = plans.map(([plan]) => this.#records.claims(plan, times.ttl))
    const distinct = [...new Map(claims.flat().map((claim) => [claim.key, claim])).values()]
    const existing =
      distinct.length === 0 ? Effect.succeed([]) : this.#guard.ensure(distinct, makeId())
    return Effect.flatMap(existing, (ids) => {
      if (ids === undefined) return Effect.void
      const idBy = new Map(distinct.map(({ key }, i) => [key, ids[i]]))
      const items = Effect.forEach(plans, ([plan, value], i) => {
        const versions = claims[i]!.map(({ key }) => idBy.get(key)).join("")
        return this.item(plan, options, value, versions, { failed: false, times })
      })
      return Effect.flatMap(items, (made) => {
        const known = made.filter((item) => item !== undefined)
        return known.length === 0 ? Effect.void : Effect.asVoid(this.#guard.set(known))
      })
    })
  }

  /** Returns a ttl in milliseconds. */
  ttlOf(ttl: Duration.Input | undefined): number {
    return millisOf(ttl ?? this.#defaultTtl)
  }
}
