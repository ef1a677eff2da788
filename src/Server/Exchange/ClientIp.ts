/**
 * The address of the client behind the proxies that an operator trusts. What a
 * client writes into a header itself is never believed.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { ServerConfig } from "../ServerConfig.ts"
import type { Incoming } from "./Before.ts"

/** What the address is derived from. */
export interface Source {
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Whether the peer came through a unix socket: only a proxy of the operator can open it. */
  readonly isLocal?: boolean
  /** The address at the other end of the connection; undefined where there is none. */
  readonly peer: string | undefined
}

/**
 * The client's address in canonical form: IPv4-mapped addresses as IPv4, no port,
 * no brackets. Undefined where the listener knows no peer.
 *
 * Only a peer in one of the `trusted` networks, or on a unix socket, is asked for more. Each of
 * `X-Forwarded-For`, `Forwarded` (RFC 7239) and `X-Real-IP` is read from its
 * right end, past trusted proxies, to the first address that is not one; text
 * that is no address ends the walk. Headers that lead to different addresses are
 * not believed, because a proxy that maintains one of them passes the client's
 * own version of another: the answer is then the peer. Have the proxy remove the
 * headers that it does not set.
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import { ClientIp, Network } from "flange"
 *
 * const trusted = [Schema.decodeSync(Network)("10.0.0.0/8")]
 * const headers = { "x-forwarded-for": "6.6.6.6, 198.51.100.7, 10.0.0.2" }
 * ClientIp.derive({ headers, peer: "10.0.0.1" }, trusted) // => "198.51.100.7"
 * ClientIp.derive({ headers, peer: "192.0.2.9" }, trusted) // => "192.0.2.9"
 * ```
 */
export const derive = (
  { headers, isLocal = false, peer }: Source,
  trusted: ReadonlyArray<IpNetwork.IpNetwork>
): string | undefined => {
  const isTrusted = (hop: NetAddress.IpAddress) =>
    trusted.some((network) => IpNetwork.contains(network, hop))
  if (peer === undefined) return isLocal ? claimed(headers, isTrusted) : undefined
  const own = canonical(peer)
  if (own === undefined) return undefined
  return (isTrusted(own.address) ? claimed(headers, isTrusted) : undefined) ?? own.text
}

/** What the headers of a trusted peer say, where they agree. */
const claimed = (
  headers: Source["headers"],
  isTrusted: (hop: NetAddress.IpAddress) => boolean
): string | undefined => {
  const found = new Set<string>()
  for (const hops of [
    list(headers["x-forwarded-for"]),
    forwarded(headers["forwarded"]),
    list(headers["x-real-ip"])
  ]) {
    const client = walk(hops, isTrusted)
    if (client !== undefined) found.add(NetAddress.formatIp(client))
  }
  return found.size === 1 ? [...found][0] : undefined
}

/** The first untrusted address from the right; undefined if there is none before something unreadable. */
const walk = (
  hops: ReadonlyArray<string>,
  isTrusted: (hop: NetAddress.IpAddress) => boolean
): NetAddress.IpAddress | undefined => {
  for (const hop of hops.toReversed()) {
    const address = parse(hop)
    if (address === undefined || !isTrusted(address)) return address
  }
  return undefined
}

/** An address and its canonical text. */
interface Canonical {
  readonly address: NetAddress.IpAddress
  readonly text: string
}

/** Peers that were parsed before: a connection sends many requests. */
const known = new Map<string, Canonical | undefined>()
const maxKnown = 4096

/** The longest text of an IPv6 address; what is longer is not worth remembering. */
const maxText = 45

/** An address with or without brackets, port and zone. */
const canonical = (text: string): Canonical | undefined => {
  if (text.length > maxText) return read(text)
  if (known.has(text)) return known.get(text)
  const found = read(text)
  if (known.size >= maxKnown) known.clear()
  known.set(text, found)
  return found
}

const parse = (text: string): NetAddress.IpAddress | undefined => canonical(text)?.address

const read = (text: string): Canonical | undefined => {
  const match = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text) ?? /^(\d[\d.]*)(?::\d{1,5})?$/.exec(text)
  const bare = (match?.[1] ?? text).replace(/%[^%]*$/, "")
  const found = Result.getOrUndefined(NetAddress.ipFromString(bare))
  if (found === undefined) return undefined
  const address = NetAddress.toCanonical(found)
  return { address, text: NetAddress.formatIp(address) }
}

/** Longer headers are nobody's chain of proxies. */
const maxLength = 2048

const list = (value: string | undefined): ReadonlyArray<string> =>
  value === undefined || value.length > maxLength
    ? []
    : value.split(",").map((entry) => entry.trim())

/** The `for` parameters of a `Forwarded` header, one for each element. Source: RFC 7239, section 4. */
const forwarded = (value: string | undefined): ReadonlyArray<string> =>
  value === undefined || value.length > maxLength
    ? []
    : value.split(",").map((element) => {
        const [pair, ...more] = element
          .split(";")
          .map((parameter) => /^\s*for\s*=\s*(?:"([^"\\]*)"|([^\s"]+))\s*$/i.exec(parameter))
          .filter((match) => match !== null)
        return more.length > 0 ? "" : (pair?.[1] ?? pair?.[2] ?? "")
      })

/**
 * The address of the client of the request that this fiber serves, derived with
 * `server.trustedProxies`; on `server.socket` the proxy's word is believed anyway.
 * Undefined outside a request, and where the listener knows no peer.
 */
export const current: Effect.Effect<string | undefined> = Effect.withFiber((fiber) => {
  // Both are looked for, and need not be there.
  const context = fiber.context as Context.Context<any>
  const request = Context.getOrUndefined(context, HttpServerRequest)
  const config = Context.getOrUndefined(context, ServerConfig)
  return Effect.succeed(
    request &&
      configured(
        config,
        (name) => request.headers[name],
        Option.getOrUndefined(request.peerAddress)
      )
  )
})

/** `current`, for a request on its way in. */
export const of = (request: Incoming): string | undefined =>
  configured(request.find(ServerConfig), (name) => request.header(name), request.peer)

const configured = (
  config: (typeof ServerConfig)["Service"] | undefined,
  header: (name: string) => string | undefined,
  peer: string | undefined
) => {
  const isLocal = config?.listener === "proxied" && config.socket !== undefined
  const trusted = config?.trustedProxies ?? []
  // Where nobody is believed, no header is read.
  if (!isLocal && trusted.length === 0) return peer && canonical(peer)?.text
  const headers = {
    forwarded: header("forwarded"),
    "x-forwarded-for": header("x-forwarded-for"),
    "x-real-ip": header("x-real-ip")
  }
  return derive({ headers, isLocal, peer }, trusted)
}
