/** A JSON Web Key Set, read key by key: a key that cannot be used does not spoil the others. */
import type { JsonWebKey, KeyObject } from "node:crypto"
import { clean } from "../../../Server/Exchange/Text.ts"
import { crypto } from "../Backend/Crypto.ts"
import { algorithmsOf, isSecret, type Jwk, weaknessOf } from "./PublicKey.ts"
import * as VerificationKey from "./VerificationKey.ts"

/** The keys of a set. */
export interface KeySet {
  /** Returns the keys that fit a header. */
  readonly candidates: (
    header: VerificationKey.Header
  ) => ReadonlyArray<VerificationKey.VerificationKey>
  /** The problems of keys of the set, one sentence for each. */
  readonly problems: ReadonlyArray<string>
}

interface Member {
  readonly algorithms: ReadonlyArray<string>
  readonly key: KeyObject
  readonly kid: string | undefined
}

/** At most this many keys are tried for one token. */
const maxCandidates = 8

/** Reads a set. Returns undefined if the document is not a key set. */
export const read = (document: unknown): KeySet | undefined => {
  if (!isObject(document) || !Array.isArray(document["keys"])) return undefined
  const members: Array<Member> = []
  const problems: Array<string> = []
  document["keys"].forEach((jwk: unknown, i) => {
    const member = memberOf(jwk)
    const name = nameOf(jwk, i)
    if (typeof member === "string") problems.push(`${name} is not used: ${member}`)
    else {
      if (members.some((other) => isAlike(other, member))) {
        problems.push(`${name} has the kid and the algorithm of another key: both are tried`)
      }
      members.push(member)
    }
  })
  return {
    candidates: ({ alg, kid }) =>
      members
        .filter(
          (member) => member.algorithms.includes(alg) && (kid === undefined || member.kid === kid)
        )
        .slice(0, maxCandidates)
        .map(({ key }) => VerificationKey.make([alg], key)),
    problems
  }
}

const isObject = (value: unknown): value is Jwk =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isAlike = (a: Member, b: Member): boolean =>
  a.kid !== undefined &&
  a.kid === b.kid &&
  a.algorithms.some((algorithm) => b.algorithms.includes(algorithm))

const nameOf = (jwk: unknown, i: number): string => {
  const kid = isObject(jwk) && typeof jwk["kid"] === "string" ? jwk["kid"] : undefined
  return kid === undefined ? `key ${i + 1}` : `key ${i + 1} ("${clean(kid).slice(0, 64)}")`
}

/** Returns a key that verifies signatures, or the reason why the key cannot. */
const memberOf = (jwk: unknown): Member | string => {
  if (!isObject(jwk)) return "it is not an object"
  const { alg, key_ops: operations, kid, use } = jwk
  if (jwk["kty"] === "oct" || isSecret(jwk)) return "it is a private or secret key"
  if (kid !== undefined && typeof kid !== "string") return "its kid is not a text"
  if (use !== undefined && use !== "sig") return 'its use is not "sig"'
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify"))) {
    return 'its key_ops do not have "verify"'
  }
  let key: KeyObject
  try {
    key = crypto().createPublicKey({ format: "jwk", key: jwk as JsonWebKey })
  } catch (error) {
    return `it cannot be read (${clean((error as Error).message)})`
  }
  const weakness = weaknessOf(key)
  if (weakness !== undefined) return weakness
  const possible = algorithmsOf(key)
  if (possible.length === 0) return "its type or curve verifies no known algorithm"
  if (alg === undefined) return { algorithms: possible, key, kid }
  return possible.includes(String(alg))
    ? { algorithms: [String(alg)], key, kid }
    : `its alg does not fit its type, which verifies ${possible.join(", ")}`
}
