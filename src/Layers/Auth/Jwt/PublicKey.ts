/** Public keys: which algorithms they verify, and which of them are too weak. */
import type { KeyObject } from "node:crypto"

/** Algorithms with a key pair. Source: RFC 7518, RFC 8037, RFC 9864. */
export type PublicAlgorithm =
  | "Ed25519"
  | "EdDSA"
  | "ES256"
  | "ES384"
  | "ES512"
  | "PS256"
  | "PS384"
  | "PS512"
  | "RS256"
  | "RS384"
  | "RS512"

/** A JSON Web Key. Source: RFC 7517. */
export type Jwk = Readonly<Record<string, unknown>>

const curves: Readonly<Record<string, PublicAlgorithm>> = {
  prime256v1: "ES256",
  secp384r1: "ES384",
  secp521r1: "ES512"
}

const rsa: ReadonlyArray<string> = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]

/** Returns the algorithms that a key can verify, the usual one first. */
export const algorithmsOf = ({
  asymmetricKeyDetails,
  asymmetricKeyType
}: KeyObject): ReadonlyArray<string> => {
  switch (asymmetricKeyType) {
    case "ec": {
      const algorithm = curves[asymmetricKeyDetails?.namedCurve ?? ""]
      return algorithm === undefined ? [] : [algorithm]
    }
    case "ed25519":
      return ["EdDSA", "Ed25519"]
    case "rsa":
      return rsa
    default:
      return []
  }
}

/** Returns why signatures under a key prove nothing; undefined for a strong key. */
export const weaknessOf = ({ asymmetricKeyDetails = {} }: KeyObject): string | undefined => {
  const { modulusLength = 2048, publicExponent = 3n } = asymmetricKeyDetails
  if (modulusLength < 2048) return `the RSA key has ${modulusLength} bits. Use at least 2048.`
  return publicExponent < 3n || publicExponent % 2n === 0n
    ? `the RSA key has the exponent ${publicExponent}. Use 65537.`
    : undefined
}

/** Whether a JWK has a member that only its owner may know. */
export const isSecret = (jwk: Jwk): boolean =>
  ["d", "dp", "dq", "k", "oth", "p", "q", "qi"].some((member) => member in jwk)
