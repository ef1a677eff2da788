/** Finds values in the store, and decides which of them are valid. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type CacheKey, type Segment, storeKey, tag, type Target } from "./CacheKey.ts"
import { type Claim, idOf } from "./CacheStore.ts"
import * as Entry from "./Entry.ts"
import type { Guard } from "./Guard.ts"

/** A key with the tags of its value, and its names in the store. */
export interface Plan {
  readonly entryKey: string
  readonly key: CacheKey
  /** The paths of the tags, sorted. */
  readonly tags: ReadonlyArray<string>
}

/** What the store has under a key. */
export interface Found {
  /** The value; undefined if the store has no value or an invalid one. */
  readonly entry: Entry.Entry | undefined
  /** The id of the record, valid or not. */
  readonly id: string | undefined
}

const nothing: Found = { entry: undefined, id: undefined }

/** What was peeked for, and what was found for these values of its keys. */
interface Peeked {
  found: Found | undefined
  readonly keys: ReadonlyArray<string>
  values: ReadonlyArray<string | undefined>
}

/** The longest text of an entry that is remembered after its eviction, in UTF-16 units. */
export const longestRemembered = 2 ** 15

/** The shortest time for which the version of a prefix or of a tag is kept. */
const shortestVersion = 86_400_000

/**
 * The records of a namespace.
 *
 * A prefix and a tag have a version each: a record with nothing but its id. A value has the ids of the
 * versions from before its load, and is valid while they are the same. So an invalidation removes one
 * record, and the next load creates another version. A version that the store lost makes its values
 * invalid, and nothing is ever used that was invalidated.
 */
export class Records {
  readonly #guard: Guard
  /** Constant plans are peeked for again and again. */
  readonly #peeked = new WeakMap<Plan, Peeked>()
  readonly namespace: string

  constructor(namespace: string, guard: Guard) {
    this.#guard = guard
    this.namespace = namespace
  }

  /** Returns the records to create before a load: the versions of the key and of the tags. */
  claims({ key, tags }: Plan, ttl: number): ReadonlyArray<Claim> {
    const kept = Math.max(2 * ttl, shortestVersion)
    return this.#versionKeys(key, tags).map((one) => ({ extend: true, key: one, ttl: kept }))
  }

  /** Returns what the memory of the process has; undefined if that is not enough to tell. */
  peek(plan: Plan, now: number, parse: typeof Entry.parse = Entry.parse): Found | undefined {
    let peeked = this.#peeked.get(plan)
    if (peeked === undefined) {
      peeked = { found: undefined, keys: this.#keys(plan), values: [] }
      this.#peeked.set(plan, peeked)
    }
    const { found, keys } = peeked
    const values = this.#guard.peek(keys)
    if (values === undefined) return undefined
    if (
      found?.entry !== undefined &&
      now < found.entry.keptUntil &&
      areSame(values, peeked.values)
    ) {
      return found
    }
    const judged = this.#judge(plan, recordsOf(keys, values), now, parse)
    if (!("id" in judged)) return undefined
    if ((values[0]?.length ?? 0) <= longestRemembered) {
      peeked.found = judged
      peeked.values = values
    }
    return judged
  }

  plan(key: CacheKey, tags: ReadonlyArray<Segment> | undefined): Plan {
    return {
      entryKey: storeKey(this.namespace, "entry", key.path),
      key,
      tags: tags === undefined ? [] : [...new Set(tags.map((one) => tag(one).path))].toSorted()
    }
  }

  /** Returns what the store has; undefined if it does not answer. */
  read(plans: ReadonlyArray<Plan>): Effect.Effect<ReadonlyArray<Found> | undefined> {
    const keys = [...new Set(plans.flatMap((plan) => this.#keys(plan)))]
    return Effect.flatMap(this.#guard.get(keys), (values) =>
      values === undefined ? Effect.undefined : this.#judgeAll(plans, recordsOf(keys, values))
    )
  }

  /** Returns the records whose removal makes the targets invalid. */
  removed(targets: ReadonlyArray<Target>): ReadonlyArray<string> {
    const named = (kind: "entry" | "prefix" | "tag", { path }: Target) =>
      storeKey(this.namespace, kind, path)
    return targets.flatMap((target) => {
      switch (target._tag) {
        case "key":
          return [named("entry", target)]
        case "prefix":
          return [named("prefix", target), named("entry", target)]
        case "tag":
          return [named("tag", target)]
      }
    })
  }

  /** Returns the value, or the keys of the versions that have to be read to tell whether it is valid. */
  #judge(
    { entryKey, key }: Plan,
    records: ReadonlyMap<string, string | undefined>,
    now: number,
    parse: typeof Entry.parse = Entry.parse
  ): Found | ReadonlyArray<string> {
    const text = records.get(entryKey)
    if (text === undefined) return nothing
    const id = idOf(text)
    const entry = parse(text)
    if (entry === undefined || now >= entry.keptUntil) return { entry: undefined, id }
    const keys = this.#versionKeys(key, entry.tags)
    const unread = keys.filter((one) => !records.has(one))
    if (unread.length > 0) return unread
    const isValid = keys.every((one) => records.get(one) !== undefined)
    const versions = keys.map((one) => idOf(records.get(one) ?? "")).join("")
    return { entry: isValid && versions === entry.versions ? entry : undefined, id }
  }

  #judgeAll(
    plans: ReadonlyArray<Plan>,
    records: ReadonlyMap<string, string | undefined>
  ): Effect.Effect<ReadonlyArray<Found> | undefined> {
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const judged = plans.map((plan) => this.#judge(plan, records, now))
      const unread = [...new Set(judged.flatMap((one) => ("id" in one ? [] : one)))]
      if (unread.length === 0) {
        return Effect.succeed(judged.map((one) => ("id" in one ? one : nothing)))
      }
      return Effect.flatMap(this.#guard.get(unread), (values) =>
        values === undefined
          ? Effect.undefined
          : this.#judgeAll(plans, new Map([...records, ...recordsOf(unread, values)]))
      )
    })
  }

  #keys({ entryKey, key, tags }: Plan): ReadonlyArray<string> {
    return [entryKey, ...this.#versionKeys(key, tags)]
  }

  #versionKeys({ prefixes }: CacheKey, tags: ReadonlyArray<string>): ReadonlyArray<string> {
    return [
      ...prefixes.map((path) => storeKey(this.namespace, "prefix", path)),
      ...tags.map((path) => storeKey(this.namespace, "tag", path))
    ]
  }
}

const recordsOf = (
  keys: ReadonlyArray<string>,
  values: ReadonlyArray<string | undefined>
): ReadonlyMap<string, string | undefined> => new Map(keys.map((key, i) => [key, values[i]]))

const areSame = (
  some: ReadonlyArray<string | undefined>,
  others: ReadonlyArray<string | undefined>
): boolean => some.every((one, i) => one === others[i])
