/** By what requests are counted. */
import * as ClientIp from "../../Server/Exchange/ClientIp.ts"

const maxBytes = 256

const encoder = new TextEncoder()
const buffer = new Uint8Array(maxBytes)

/** The text as long as 256 bytes of UTF-8 have room for whole characters of it. */
const cut = (text: string): string =>
  // No UTF-16 unit is more than three bytes.
  text.length * 3 <= maxBytes ? text : text.slice(0, encoder.encodeInto(text, buffer).read)

/** The key of a caller whom a chain knows. Callers who are alike in 256 bytes share a limit. */
export const caller = (chain: string, subject: string): string => cut(`caller:${chain}:${subject}`)

/**
 * The key of a caller of whom only the address is known: of IPv6 the network of 64
 * bits that a provider gives to one customer. Without an address, as on a unix
 * socket without a trusted proxy, such callers share one limit.
 */
export const address = (address: string | undefined): string =>
  address === undefined ? "ip:unknown" : `ip:${ClientIp.networkOf(address)}`
