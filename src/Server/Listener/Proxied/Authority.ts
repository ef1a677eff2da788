/** The host and port of a request. Source: RFC 3986, section 3.2; RFC 9110, section 7.2. */
import { isIPv6 } from "node:net"
import { HOST, octets } from "./Octets.ts"

/**
 * Whether a text is `host [":" port]`, where host is a name, an IPv4 address or
 * an IPv6 address in brackets. Stricter than the grammar: names have letters,
 * digits, `-._~` and percent-encoding, but none of `!$&'()*+,;=`, and are not empty.
 */
export const isValid = (text: string): boolean => {
  let i = 0
  if (text.charCodeAt(0) === 0x5b) {
    const end = text.indexOf("]")
    // A zone is of the machine that wrote it and says nothing here.
    if (end === -1 || text.includes("%") || !isIPv6(text.slice(1, end))) return false
    i = end + 1
  } else {
    for (; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code > 0x7f || (octets[code]! & HOST) === 0) break
      if (code === 0x25 && !/^[0-9A-Fa-f]{2}$/.test(text.slice(i + 1, i + 3))) return false
    }
    if (i === 0) return false
  }
  if (i === text.length) return true
  if (text.charCodeAt(i) !== 0x3a || text.length - i > 6) return false
  let port = 0
  for (i++; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return false
    port = port * 10 + digit
  }
  return port <= 65_535
}

/** Whether two valid authorities of the scheme are the same: case and the default port do not matter. */
export const isSame = (a: string, b: string, scheme: "http" | "https"): boolean =>
  normalized(a, scheme) === normalized(b, scheme)

const normalized = (authority: string, scheme: "http" | "https"): string =>
  authority.toLowerCase().replace(scheme === "http" ? /:(?:80)?$/ : /:(?:443)?$/, "")
