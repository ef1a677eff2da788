/** Makes text from outside safe for logs and headers. */

const encoder = new TextEncoder()

/** Control and format characters, line and paragraph separators, lone surrogates. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** Matches a text of printable ASCII. */
const plain = /^[ -~]*$/

/** The longest text in bytes of UTF-8. */
const maxBytes = 512

/**
 * Returns the text without control characters, cut to 512 bytes of UTF-8 at the end of a
 * character. Never pass a credential.
 */
export const clean = (text: string): string => {
  if (text.length <= maxBytes && plain.test(text)) return text
  // The result has no text past the limit, so the pattern need not search there.
  const printable = text.slice(0, maxBytes).replace(unprintable, "")
  // A unit of UTF-16 is at most three bytes of UTF-8.
  if (printable.length * 3 <= maxBytes) return printable
  const { read } = encoder.encodeInto(printable, new Uint8Array(maxBytes))
  return printable.slice(0, read)
}

/** Returns a quoted string for a header. Source: RFC 9110, section 5.6.4. */
export const quoted = (text: string): string =>
  `"${text.replace(/[^\x20-\x7e]/g, "").replace(/["\\]/g, "\\$&")}"`
