/** A key, and what it takes to find it. */
import type { KeyObject, webcrypto } from "node:crypto"
import type * as Effect from "effect/Effect"
import type { BackendUnavailable, CredentialsRejected } from "./Failure.ts"

/** The parts of a token's protected header that choose a key. */
export interface Header {
  readonly alg: string
  readonly kid: string | undefined
}

/** A key for one token. */
export interface Key {
  readonly algorithms: ReadonlyArray<string>
  readonly key: KeyObject | webcrypto.CryptoKey
}

/** Keys that fit a token: none refuses it. */
export type FindKeys = (
  header: Header
) => Effect.Effect<ReadonlyArray<Key>, BackendUnavailable | CredentialsRejected>
