/** Keys that verify tokens, and the header by which a key is found. */
import type { KeyObject, webcrypto } from "node:crypto"
import type * as Effect from "effect/Effect"
import type { BackendUnavailable, CredentialsRejected } from "../Failure.ts"
import { type Check, checkOf } from "./Signature.ts"

/** The parts of a token's protected header that choose a key. */
export interface Header {
  readonly alg: string
  readonly kid: string | undefined
}

/** A key for one token. */
export interface VerificationKey {
  readonly algorithms: ReadonlyArray<string>
  /** Checks signatures on the event loop; undefined if jose checks the signatures of this key. */
  readonly check: Check | undefined
  readonly key: KeyObject | webcrypto.CryptoKey
}

/** A key for tokens of these algorithms. */
export const make = (
  algorithms: ReadonlyArray<string>,
  key: KeyObject | webcrypto.CryptoKey
): VerificationKey => {
  const [first, ...more] = algorithms
  const check = first === undefined || more.length > 0 ? undefined : checkOf(first, key)
  return { algorithms, check, key }
}

/** Returns the keys that fit a token. If there are none, the token is refused. */
export type FindKeys = (
  header: Header
) => Effect.Effect<ReadonlyArray<VerificationKey>, BackendUnavailable | CredentialsRejected>
