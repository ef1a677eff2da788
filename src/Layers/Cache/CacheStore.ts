/** The interface of the backends. */
import { randomBytes } from "node:crypto"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"

/** The failure of a backend. It fails no request: the cache behaves as if it were empty. */
export class CacheStoreError extends Data.TaggedError("CacheStoreError")<{
  readonly cause: unknown
  readonly operation: string
}> {
  override get message(): string {
    return `The backend of the cache failed in ${this.operation}: ${String(this.cause)}`
  }
}

/** A value with the time for which a store keeps it. */
export interface Kept {
  /** Milliseconds. */
  readonly ttl: number
  /** Begins with the id of the record, `idLength` characters. */
  readonly value: string
}

/** A value under its key. */
export interface Item extends Kept {
  readonly key: string
}

/** A record that has to exist. */
export interface Claim {
  /** Whether a record that exists for less than half of `ttl` from now on is kept for `ttl`. */
  readonly extend: boolean
  readonly key: string
  /** Milliseconds. */
  readonly ttl: number
}

/**
 * A backend: records by key, each for a limited time. Every value begins with the id of its record. No
 * list of keys is empty or has more than a thousand. All operations but `get` and `set` are atomic for each key.
 */
export interface Store {
  /** The name of the backend in messages, such as `redis`. */
  readonly backend: string
  /** Removes records. */
  readonly delete: (keys: ReadonlyArray<string>) => Effect.Effect<void, CacheStoreError>
  /** Creates the records that do not exist, with the id alone as value. Returns the ids of all. */
  readonly ensure: (
    claims: ReadonlyArray<Claim>,
    id: string
  ) => Effect.Effect<ReadonlyArray<string>, CacheStoreError>
  /** Returns the values, undefined for a record that does not exist. */
  readonly get: (
    keys: ReadonlyArray<string>
  ) => Effect.Effect<ReadonlyArray<string | undefined>, CacheStoreError>
  /**
   * Returns the values that are in the memory of the process. Undefined if the backend has none there.
   */
  readonly peek: ((keys: ReadonlyArray<string>) => ReadonlyArray<string | undefined>) | undefined
  /**
   * Replaces a record if its id is the expected one, or if it does not exist and `expected` is
   * undefined. Removes it if `next` is undefined. Returns whether it did.
   */
  readonly replace: (
    key: string,
    expected: string | undefined,
    next: Kept | undefined
  ) => Effect.Effect<boolean, CacheStoreError>
  /** Writes records and replaces those that are stored. */
  readonly set: (items: ReadonlyArray<Item>) => Effect.Effect<void, CacheStoreError>
}

/**
 * The service of the backend. `Cache.plugin` provides the one that `cache.backend` chooses; a test may
 * replace it.
 */
export class CacheStore extends Context.Service<CacheStore, Store>()("flange/Cache/CacheStore") {}

/** The number of characters of an id. */
export const idLength = 16

/** The bytes of an id. */
const idBytes = 12

/** Random bytes for many ids, because a request for few bytes costs as much as one for many. */
let pool = Buffer.alloc(0)

/** Returns a new id: 96 random bits. */
export const makeId = (): string => {
  if (pool.length < idBytes) pool = randomBytes(idBytes * 512)
  const id = pool.toString("base64url", 0, idBytes)
  pool = pool.subarray(idBytes)
  return id
}

/** Returns the id of a record. */
export const idOf = (value: string): string => value.slice(0, idLength)
