/** Digests and comparisons that take the same time whatever they compare. */

import type * as Crypto from "node:crypto"

let loaded: typeof Crypto | undefined

/**
 * `node:crypto`, in Node, Bun and Deno. It is loaded when a backend is made, not by an
 * import: contracts import this battery for its guards, and browsers have none.
 */
export const crypto = (): typeof Crypto => {
  loaded ??= globalThis.process?.getBuiltinModule?.("node:crypto")
  if (loaded === undefined) {
    throw new Error(
      "This host has no node:crypto, which backends of flange/Auth need. Run the server on Node, Bun or Deno."
    )
  }
  return loaded
}

/** The SHA-256 digest of a text in hex. */
export const sha256 = (text: string): string =>
  crypto().createHash("sha256").update(text, "utf8").digest("hex")

let key: Uint8Array | undefined

/**
 * Compares a secret in constant time: both sides are
 * hashed under a key that only this process knows, so that not even the length
 * shows.
 */
export const equal = (a: string, b: string): boolean => {
  const { createHmac, randomBytes, timingSafeEqual } = crypto()
  key ??= randomBytes(32)
  const digest = (text: string) => createHmac("sha256", key!).update(text, "utf8").digest()
  return timingSafeEqual(digest(a), digest(b))
}
