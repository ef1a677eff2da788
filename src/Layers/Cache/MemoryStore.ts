/** The backend in the memory of the process. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { LRUCache } from "lru-cache"
import * as MonotonicClock from "../../Plugin/MonotonicClock.ts"
import { nameIn } from "./CacheKey.ts"
import { type CacheStoreError, idOf, type Item, type Kept, type Store } from "./CacheStore.ts"

/** What a cache uses of the memory. */
export interface Usage {
  bytes: number
  evictions: number
}

/** The most names with numbers of their own. A name that callers choose would fill the memory. */
const maxNames = 101

const beyondLatin1 = /[^\0-\u{ff}]/u

/** Returns the bytes of a string: V8 keeps two for each unit if one of them is beyond Latin-1. */
const bytesOf = (text: string): number => (beyondLatin1.test(text) ? text.length * 2 : text.length)

/** Bytes of a record beside its texts: the slots of the map and of the lists, and two string heads. */
const overhead = 200

/** A store in memory with a budget of bytes. The least recently used records are removed first. */
export class MemoryStore implements Store {
  readonly backend: string = "memory"
  #clock: Clock.Clock | undefined
  readonly #lru: LRUCache<string, string>
  readonly #others: Usage = { bytes: 0, evictions: 0 }
  /** The milliseconds of the monotonic clock in the operation that runs: no step of the other one changes them. */
  #now = 0
  /** By the name of the cache. Other records are under the empty name, with those of further names. */
  readonly usage: Map<string, Usage>

  constructor(maxBytes: number) {
    this.usage = new Map([["", this.#others]])
    this.#lru = new LRUCache({
      dispose: (value, key, reason) => {
        const usage = this.#usageOf(key)
        usage.bytes -= sizeOf(value, key)
        if (reason === "evict") usage.evictions++
      },
      // Without this a record that does not fit would throw.
      maxEntrySize: maxBytes,
      maxSize: maxBytes,
      onInsert: (value, key, reason) => {
        // The same value again is not disposed of before.
        if (reason !== "update") this.#usageOf(key).bytes += sizeOf(value, key)
      },
      perf: { now: () => this.#now },
      sizeCalculation: sizeOf,
      ttlResolution: 0
    })
  }

  /** The bytes of all records. */
  get bytes(): number {
    return this.#lru.calculatedSize
  }

  readonly delete: Store["delete"] = (keys) => this.#run(() => this.remove(keys))

  readonly ensure: Store["ensure"] = (claims, id) =>
    this.#run(() =>
      claims.map(({ extend, key, ttl }) => {
        const found = this.#lru.get(key)
        if (found === undefined) this.#put({ key, ttl, value: id })
        else if (extend && this.#lru.getRemainingTTL(key) < ttl / 2) {
          this.#put({ key, ttl, value: found })
        }
        return idOf(found ?? id)
      })
    )

  readonly get: Store["get"] = (keys) => this.#run(() => keys.map((key) => this.#lru.get(key)))

  readonly peek = (keys: ReadonlyArray<string>): ReadonlyArray<string | undefined> => {
    // Without an operation before it there are no records.
    if (this.#clock !== undefined) this.#read(this.#clock)
    return keys.map((key) => this.#lru.get(key))
  }

  readonly replace: Store["replace"] = (key, expected, next) =>
    this.#run(() => {
      const found = this.#lru.get(key)
      if ((found === undefined ? undefined : idOf(found)) !== expected) return false
      if (next === undefined) this.#lru.delete(key)
      else this.#put({ key, ...next })
      return true
    })

  readonly set: Store["set"] = (items) => this.#run(() => items.forEach((item) => this.#put(item)))

  /** Removes all records. */
  clear(): void {
    this.#lru.clear()
  }

  /** Removes records. */
  remove(keys: ReadonlyArray<string>): void {
    for (const key of keys) this.#lru.delete(key)
  }

  /** Writes a record by a clock, which is that of all operations. */
  write(key: string, { ttl, value }: Kept, clock: Clock.Clock): void {
    this.#read(clock)
    this.#put({ key, ttl, value })
  }

  #put({ key, ttl, value }: Item): void {
    this.#lru.set(key, value, { ttl: Math.max(1, ttl) })
  }

  #read(clock: Clock.Clock): void {
    this.#clock = clock
    // The time zero stands for "no time" in lru-cache, and a test clock starts there.
    this.#now = MonotonicClock.millisOf(clock) + 1
  }

  #run<A>(operation: () => A): Effect.Effect<A, CacheStoreError> {
    return Effect.withFiber((fiber) => {
      this.#read(fiber.getRef(Clock.Clock))
      return Effect.succeed(operation())
    })
  }

  #usageOf(key: string): Usage {
    const name = nameIn(key) ?? ""
    const known = this.usage.get(name)
    if (known !== undefined) return known
    if (this.usage.size >= maxNames) return this.#others
    const usage = { bytes: 0, evictions: 0 }
    this.usage.set(name, usage)
    return usage
  }
}

/** Returns the bytes of a record. */
const sizeOf = (value: string, key: string): number => bytesOf(value) + bytesOf(key) + overhead
