/** Keys of objects. The rules are the same for all backends. */
import * as Effect from "effect/Effect"
import { InvalidObjectKey } from "../../Contract/ObjectErrors.ts"

/** The longest key, in bytes of UTF-8: that of S3. */
const maxBytes = 1024

/** Returns why a key is refused; undefined if it is not. */
const refusal = (key: string): string | undefined => {
  if (key === "") return "it is empty"
  if (key.length > maxBytes || Buffer.byteLength(key) > maxBytes) {
    return `it is longer than ${maxBytes} bytes`
  }
  if (!key.isWellFormed()) return "it is no Unicode text"
  if (/\p{Cc}/u.test(key)) return "it has a control character"
  if (key.includes("\\")) return "it has a backslash"
  const segments = key.split("/")
  if (segments.includes("")) return "it begins or ends with /, or has two in a row"
  const dots = segments.find((segment) => segment === "." || segment === "..")
  return dots === undefined ? undefined : `it has the segment ${dots}`
}

/** Fails if a key is refused. */
export const check = (key: string): Effect.Effect<void, InvalidObjectKey> => {
  const reason = refusal(key)
  return reason === undefined ? Effect.void : Effect.fail(new InvalidObjectKey({ key, reason }))
}

/** Fails if no key can begin with a prefix. */
export const checkPrefix = (prefix: string): Effect.Effect<void, InvalidObjectKey> => {
  // A prefix of 1024 bytes is that of one key alone.
  const reason = refusal(prefix.length < maxBytes ? `${prefix}x` : prefix)
  return reason === undefined
    ? Effect.void
    : Effect.fail(new InvalidObjectKey({ key: prefix, reason }))
}

/** Compares keys by their bytes, as S3 does. Strings of JavaScript have another order. */
export const compare = (a: string, b: string): number =>
  Buffer.compare(Buffer.from(a), Buffer.from(b))
