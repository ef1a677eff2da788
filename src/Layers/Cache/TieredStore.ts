/** Memory in front of a store that replicas share. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Broadcast } from "./Broadcast.ts"
import { type CacheStoreError, idLength, type Store } from "./CacheStore.ts"
import type { MemoryStore } from "./MemoryStore.ts"

/**
 * A store with copies in the memory of the process. A value that is not there, or may be old, is read
 * from the shared store. Invalidations are broadcast to all replicas. A copy lives for at most
 * `memoryTtl` milliseconds.
 */
export class TieredStore implements Store {
  readonly backend: string = "tiers"
  readonly #broadcast: Broadcast
  readonly #memory: MemoryStore
  readonly #memoryTtl: number
  /** The keys that are being read or written, each with its last operation. */
  readonly #open = new Map<string, object>()
  readonly peek: Store["peek"]
  readonly #shared: Store

  constructor(shared: Store, memory: MemoryStore, memoryTtl: number, broadcast: Broadcast) {
    this.#broadcast = broadcast
    this.#memory = memory
    this.#memoryTtl = memoryTtl
    this.#shared = shared
    this.peek = memory.peek
  }

  readonly delete: Store["delete"] = (keys) =>
    Effect.suspend(() => {
      this.forget(keys)
      // What was read meanwhile may be the old value.
      return Effect.tap(this.#broadcast.delete(keys), () => Effect.sync(() => this.forget(keys)))
    })

  readonly ensure: Store["ensure"] = (claims, id) => {
    const keys = claims.map(({ key }) => key)
    return this.#copying(keys, this.#shared.ensure(claims, id), (ids) =>
      // An entry has more than its id.
      ids.map((one, i) => (claims[i]!.extend ? one : undefined))
    )
  }

  readonly get: Store["get"] = (keys) =>
    this.#copying(keys, this.#shared.get(keys), (values) => values)

  readonly replace: Store["replace"] = (key, expected, next) =>
    this.#copying([key], this.#shared.replace(key, expected, next), (replaced) => [
      // A lock and a mark are nothing but an id.
      replaced && next !== undefined && next.value.length > idLength ? next.value : undefined
    ])

  readonly set: Store["set"] = (items) => {
    const keys = items.map(({ key }) => key)
    return Effect.andThen(
      this.#copying(keys, this.#shared.set(items), () => items.map(({ value }) => value)),
      this.#broadcast.announce(keys)
    )
  }

  /** Removes the copies of records, and those that are about to be made. */
  readonly forget = (keys: ReadonlyArray<string>): void => {
    for (const key of keys) this.#open.delete(key)
    this.#memory.remove(keys)
  }

  /** Removes all copies. */
  readonly forgetAll = (): void => {
    this.#open.clear()
    this.#memory.clear()
  }

  /** Runs an operation and keeps copies of what it returns, unless the records were changed meanwhile. */
  #copying<A>(
    keys: ReadonlyArray<string>,
    operation: Effect.Effect<A, CacheStoreError>,
    valuesOf: (result: A) => ReadonlyArray<string | undefined>
  ): Effect.Effect<A, CacheStoreError> {
    return Effect.withFiber((fiber) => {
      const own = {}
      for (const key of keys) this.#open.set(key, own)
      const isOwn = (key: string) => this.#open.get(key) === own
      return Effect.onExitPrimitive(
        Effect.map(operation, (result) => {
          const values = valuesOf(result)
          const clock = fiber.getRef(Clock.Clock)
          keys.forEach((key, i) => {
            const value = values[i]
            if (value === undefined) this.#memory.remove([key])
            else if (isOwn(key)) this.#memory.write(key, { ttl: this.#memoryTtl, value }, clock)
          })
          return result
        }),
        () => {
          for (const key of keys) if (isOwn(key)) this.#open.delete(key)
          return undefined
        }
      )
    })
  }
}
