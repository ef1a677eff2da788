/**
 * Signatures that are checked where the request runs. jose checks them in a pool of threads, and
 * for quick checks the transfer to a thread and back costs more than the check (bench/jwt.ts).
 */
import type { KeyObject, webcrypto } from "node:crypto"
import { crypto } from "../Backend/Crypto.ts"

/** Checks whether a signature in base64url is that of the text. */
export type Check = (text: string, signature: string) => boolean

/** Digest, and bytes of the signature. Source: RFC 7518, section 3.2. */
const hmacs: ReadonlyMap<string, readonly [digest: string, bytes: number]> = new Map([
  ["HS256", ["sha256", 32]],
  ["HS384", ["sha384", 48]],
  ["HS512", ["sha512", 64]]
])

/** Source: RFC 7518, section 3.3. */
const digests: ReadonlyMap<string, string> = new Map([
  ["RS256", "sha256"],
  ["RS384", "sha384"],
  ["RS512", "sha512"]
])

/** jose accepts no shorter RSA keys; longer ones would hold up other requests. */
const rsaBits = 2048

/**
 * Returns the check for a key and its algorithm; undefined for the algorithms
 * that are left to jose: elliptic curves and long RSA keys. Their check takes 70
 * to 1300 µs, for any client that sends a token, and a thread runs it beside other
 * requests.
 */
export const checkOf = (
  algorithm: string,
  key: KeyObject | webcrypto.CryptoKey
): Check | undefined => {
  const hmac = hmacs.get(algorithm)
  if (hmac !== undefined) return key.type === "secret" ? hmacCheck(...hmac, key) : undefined
  const digest = digests.get(algorithm)
  return digest === undefined ? undefined : rsaCheck(digest, key)
}

const hmacCheck = (digest: string, bytes: number, key: KeyObject | webcrypto.CryptoKey) => {
  if (!isKeyObject(key)) return undefined
  const { createHmac, timingSafeEqual } = crypto()
  return (text: string, signature: string) => {
    const given = decoded(signature, bytes)
    return (
      given !== undefined && timingSafeEqual(createHmac(digest, key).update(text).digest(), given)
    )
  }
}

const rsaCheck = (digest: string, given: KeyObject | webcrypto.CryptoKey) => {
  const { KeyObject, verify } = crypto()
  if (!isKeyObject(given) && !isFor(digest, given)) return undefined
  const key = isKeyObject(given) ? given : KeyObject.from(given)
  const { asymmetricKeyDetails, asymmetricKeyType, type } = key
  if (type !== "public" || asymmetricKeyType !== "rsa") return undefined
  if (asymmetricKeyDetails?.modulusLength !== rsaBits) return undefined
  // The padding of a key of type `rsa` is that of PKCS #1 v1.5. Setting it costs 10 µs each time.
  return (text: string, signature: string) => {
    const bytes = decoded(signature, rsaBits / 8)
    return bytes !== undefined && verify(digest, Buffer.from(text), key, bytes)
  }
}

const isKeyObject = (key: KeyObject | webcrypto.CryptoKey): key is KeyObject => !("usages" in key)

/** A WebCrypto key holds its own algorithm. */
const isFor = (digest: string, { algorithm, usages }: webcrypto.CryptoKey) =>
  algorithm.name === "RSASSA-PKCS1-v1_5" &&
  (algorithm as webcrypto.RsaHashedKeyAlgorithm).hash.name === digest.replace("sha", "SHA-") &&
  usages.includes("verify")

/** Buffer ignores characters outside base64url, and accepts base64. Both are refused here. */
const decoded = (text: string, bytes: number): Buffer | undefined =>
  text.length === Math.ceil((bytes * 4) / 3) && /^[\w-]+$/.test(text)
    ? Buffer.from(text, "base64url")
    : undefined
