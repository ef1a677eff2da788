/** The keys under which requests are counted. */
import * as ClientIp from "../../Server/Exchange/ClientIp.ts"

const maxBytes = 256

const encoder = new TextEncoder()
const buffer = new Uint8Array(maxBytes)

/** Cuts a text after the last whole character within 256 bytes of UTF-8. */
const cut = (text: string): string =>
  // A UTF-16 unit is at most three bytes of UTF-8.
  text.length * 3 <= maxBytes ? text : text.slice(0, encoder.encodeInto(text, buffer).read)

/**
 * Returns the key of an authenticated caller. Callers whose keys agree in the first 256 bytes share
 * a limit.
 */
export const caller = (chain: string, subject: string): string => cut(`caller:${chain}:${subject}`)

/**
 * Returns the key of a caller that is known by address only. For IPv6 it is the /64 network, which
 * a provider assigns to one customer. Callers without an address, as on a unix socket without a
 * trusted proxy, share one limit.
 */
export const address = (address: string | undefined): string =>
  address === undefined ? "ip:unknown" : `ip:${ClientIp.networkOf(address)}`
