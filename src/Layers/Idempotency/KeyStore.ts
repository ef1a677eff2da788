/** The service that keeps keys, and the replies to their requests. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"

/** The store did not carry out an operation. */
export class KeyStoreError extends Data.TaggedError("KeyStoreError")<{
  readonly cause: unknown
  /** The operation, such as `claim`. */
  readonly operation: string
}> {
  override get message(): string {
    return `The store of idempotency keys failed to ${this.operation}: ${String(this.cause)}`
  }
}

/** One attempt to carry out the request of a key. */
export interface Attempt {
  /** The digest of the request. */
  readonly fingerprint: string
  /** The digest of the key, its caller and its route: 43 characters of base64url. */
  readonly id: string
  /** A random text that no other attempt has, 36 characters. It fences off attempts that lost the key. */
  readonly owner: string
}

/** What a store knows of a key. */
export type Found =
  /** The attempt has the key now. */
  | { readonly _tag: "Claimed" }
  /** The request was carried out. `reply` is the text that `complete` got. */
  | { readonly _tag: "Done"; readonly fingerprint: string; readonly reply: string }
  /** Another attempt has the key. */
  | { readonly _tag: "Running"; readonly fingerprint: string }

/** A result for an attempt that has the key. */
export const claimed: Found = { _tag: "Claimed" }

/** Where keys are kept. Times are in milliseconds. */
export interface Store {
  /** Claims the key for `lease`, unless another attempt has it or its request was carried out. */
  readonly claim: (attempt: Attempt, lease: number) => Effect.Effect<Found, KeyStoreError>
  /**
   * Keeps the reply for `ttl`. Returns false if another attempt has claimed the key since: its reply
   * counts.
   */
  readonly complete: (
    attempt: Attempt,
    reply: string,
    ttl: number
  ) => Effect.Effect<boolean, KeyStoreError>
  /**
   * Whether `complete` takes part in the transaction of the calling fiber, so that it is called before the
   * commit. Other stores are called after it.
   */
  readonly isTransactional: boolean
  /** Fails if the store does not work. */
  readonly ping: Effect.Effect<void, KeyStoreError>
  /**
   * Frees a key whose request was not carried out, if the attempt still has it. In a database, a claim of the
   * attempt that comes after its release gets no key. Redis carries out the commands of a connection in order.
   */
  readonly release: (attempt: Attempt) => Effect.Effect<void, KeyStoreError>
  /**
   * Extends the lease, also one that has ended, unless another attempt has the key. Undefined for a store whose
   * leases do not end before the process does.
   */
  readonly renew:
    | ((attempt: Attempt, lease: number) => Effect.Effect<void, KeyStoreError>)
    | undefined
}

/** Keeps keys. The plugins of this battery provide it. */
export class KeyStore extends Context.Service<KeyStore, Store>()("flange/Idempotency/KeyStore") {}
