/** Reads the header `Idempotency-Key`. Source: draft-ietf-httpapi-idempotency-key-header-07. */
import { isKey } from "./Contract.ts"

/** A string of a structured field, RFC 9651, section 3.3.3. */
const quoted = /^"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"$/

/**
 * Returns the key in a value of the header; undefined if the value is not a key. The draft writes keys as strings of structured fields, in
 * double quotes, and most clients write them without: `"abc"` and `abc` are one key.
 */
export const parse = (value: string): string | undefined => {
  const text = value.trim()
  if (!text.startsWith('"')) return isKey(text) ? text : undefined
  // A key of 255 characters has at most 512 here.
  if (text.length > 512 || !quoted.test(text)) return undefined
  const key = text.slice(1, -1).replaceAll(/\\(["\\])/g, "$1")
  return isKey(key) ? key : undefined
}
