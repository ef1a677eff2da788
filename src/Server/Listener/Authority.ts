/** The host and port of a request. Source: RFC 3986, section 3.2; RFC 9110, section 7.2. */
import { isIPv6 } from "node:net"

// Without `%`: a zone has a meaning only on the machine that wrote it.
const bracketed = /^\[([0-9A-Fa-f:.]+)\](?::\d{0,5})?$/

// The runs between percent-encodings are unrolled, which takes half the time of an alternation.
const named = /^(?!:|$)[A-Za-z0-9._~-]*(?:%[0-9A-Fa-f]{2}[A-Za-z0-9._~-]*)*(?::\d{0,5})?$/

/** The last valid text: most requests come to one host. */
let lastValid: string | undefined

/**
 * Checks that a text is `host [":" port]`. The host is a name, an IPv4 address or an IPv6
 * address in brackets. Stricter than the grammar: a name has letters, digits, `-._~` and
 * percent-encoding, no `!$&'()*+,;=`, and is not empty.
 */
export const isValid = (text: string): boolean => {
  if (text === lastValid) return true
  const isHost = named.test(text) || isIPv6(bracketed.exec(text)?.[1] ?? "")
  if (!isHost || (text.at(-6) === ":" && Number(text.slice(-5)) > 65_535)) return false
  lastValid = text
  return true
}

/**
 * Whether two valid authorities of a scheme are equal, without regard to case and the
 * default port.
 */
export const isSame = (a: string, b: string, scheme: "http" | "https"): boolean =>
  normalized(a, scheme) === normalized(b, scheme)

const normalized = (authority: string, scheme: "http" | "https"): string =>
  authority.toLowerCase().replace(scheme === "http" ? /:(?:80)?$/ : /:(?:443)?$/, "")
