/**
 * The address of the client behind the proxies that an operator trusts. A header that
 * the client wrote itself is never believed.
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
import * as Forwarded from "./Forwarded.ts"

type HeaderValues = Readonly<Record<string, string | undefined>>

/**
 * Returns the client's address in canonical form: IPv4-mapped addresses as IPv4, no
 * port, no brackets. Returns `undefined` if the listener knows no peer.
 *
 * Headers are read only if the peer is in one of the `trusted` networks or on a unix
 * socket. Each of `X-Forwarded-For`, `Forwarded` (RFC 7239) and `X-Real-IP` is read
 * from its right end, past trusted proxies, to the first address that is not trusted.
 * Text that is not an address ends the search. If headers lead to different addresses,
 * the result is the peer, because a proxy that maintains one header may pass on the
 * client's own version of another. Have the proxy remove the headers that it does not
 * set.
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
  {
    headers,
    isLocal = false,
    peer
  }: {
    /** The headers of the request, by their names in lower case. */
    readonly headers: HeaderValues
    /** Whether the peer came through a unix socket: only a proxy of the operator can open it. */
    readonly isLocal?: boolean
    /** The address at the other end of the connection; undefined if the listener knows none. */
    readonly peer: string | undefined
  },
  trusted: ReadonlyArray<IpNetwork.IpNetwork>
): string | undefined => {
  const isTrusted = (hop: NetAddress.IpAddress) =>
    trusted.some((network) => IpNetwork.contains(network, hop))
  if (peer === undefined) return isLocal ? claimed(headers, isTrusted) : undefined
  const own = canonical(peer)
  if (own === undefined) return undefined
  return (isTrusted(own.address) ? claimed(headers, isTrusted) : undefined) ?? own.text
}

/** Returns the address in the headers of a trusted peer; undefined if they do not agree on one. */
const claimed = (
  headers: HeaderValues,
  isTrusted: (hop: NetAddress.IpAddress) => boolean
): string | undefined => {
  const found = new Set<string>()
  for (const hops of [
    Forwarded.elements(headers["x-forwarded-for"]),
    Forwarded.parameters(headers["forwarded"], "for"),
    Forwarded.elements(headers["x-real-ip"])
  ]) {
    const client = walk(hops, isTrusted)
    if (client !== undefined) found.add(NetAddress.formatIp(client))
  }
  return found.size === 1 ? [...found][0] : undefined
}

/**
 * Returns the first untrusted address from the right; undefined if text that is not an
 * address comes first.
 */
const walk = (
  hops: ReadonlyArray<string | undefined>,
  isTrusted: (hop: NetAddress.IpAddress) => boolean
): NetAddress.IpAddress | undefined => {
  for (const hop of hops.toReversed()) {
    const address = hop === undefined ? undefined : parse(hop)
    if (address === undefined || !isTrusted(address)) return address
  }
  return undefined
}

/** An address and its canonical text. */
interface Canonical {
  readonly address: NetAddress.IpAddress
  readonly text: string
}

/**
 * Returns what limits count an address by: of IPv6 the network of 64 bits that a provider
 * assigns to one customer. An address that embeds one of IPv4 counts as that: IPv4-mapped addresses,
 * and those of `64:ff9b::/96`, behind which NAT64 (RFC 6052) puts the whole IPv4 internet.
 *
 * @example
 * ```ts
 * import { ClientIp } from "flange"
 *
 * ClientIp.networkOf("2001:db8::7") // => "2001:db8::/64"
 * ClientIp.networkOf("198.51.100.7") // => "198.51.100.7"
 * ClientIp.networkOf("64:ff9b::198.51.100.7") // => "198.51.100.7"
 * ```
 */
export const networkOf = (address: string): string => {
  if (!address.includes(":")) return address
  const parsed = NetAddress.ipFromString(address)
  if (Result.isFailure(parsed)) return address
  const ip = NetAddress.toCanonical(parsed.success)
  if (NetAddress.isIpv4Address(ip)) return NetAddress.formatIp(ip)
  const segments = NetAddress.ipv6ToSegments(ip)
  if (nat64.every((segment, i) => segments[i] === segment)) {
    const [high, low] = [segments[6], segments[7]]
    return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
  }
  const network = IpNetwork.fromAddress(ip, 64)
  return Result.isSuccess(network) ? IpNetwork.format(network.success) : address
}

/** The first 96 bits of the well-known prefix of NAT64. */
const nat64 = [0x64, 0xff9b, 0, 0, 0, 0]

/** Addresses that were parsed before. A connection sends many requests. */
const known = new Map<string, Canonical | undefined>()
const maxKnown = 4096

/** The longest text of an IPv6 address. Longer texts are not kept. */
const maxText = 45

/** Reads an address with or without brackets, port and zone. */
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

/**
 * The address of the client of the request that this fiber serves, derived with
 * `server.trustedProxies`. On `server.socket` the peer is always a trusted proxy.
 * Undefined outside a request, and if the listener knows no peer.
 */
export const current: Effect.Effect<string | undefined> = Effect.withFiber((fiber) => {
  // The context may have neither service.
  const context = fiber.context as Context.Context<
    (typeof ServerConfig)["Identifier"] | HttpServerRequest
  >
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

/** Returns the same address for a request that has not reached its handler. */
export const resolve = (request: Pick<Incoming, "find" | "header" | "peer">): string | undefined =>
  configured(request.find(ServerConfig), (name) => request.header(name), request.peer)

/**
 * Returns the function that derives the same address with one configuration, for middleware that
 * reads the configuration once.
 */
export const resolver = (
  config: (typeof ServerConfig)["Service"] | undefined
): ((request: Pick<Incoming, "header" | "peer">) => string | undefined) =>
  mayForward(config)
    ? (request) => configured(config, (name) => request.header(name), request.peer)
    : ({ peer }) => peer && canonical(peer)?.text

/** Checks whether the configuration lets a request have forwarding headers that are believed. */
export const mayForward = (config: (typeof ServerConfig)["Service"] | undefined): boolean =>
  isOnSocket(config) || (config?.trustedProxies.length ?? 0) > 0

/**
 * Checks whether the forwarding headers of a request that has not reached its handler are believed:
 * its peer is in `server.trustedProxies` or on a unix socket.
 */
export const isForwarded = (request: Pick<Incoming, "find" | "peer">): boolean => {
  const config = request.find(ServerConfig)
  if (request.peer === undefined) return isOnSocket(config)
  const peer = parse(request.peer)
  return (
    peer !== undefined &&
    config?.trustedProxies.some((network) => IpNetwork.contains(network, peer)) === true
  )
}

type Server = (typeof ServerConfig)["Service"] | undefined

const isOnSocket = (config: Server): boolean =>
  config?.listener === "proxied" && config.socket !== undefined

const configured = (
  config: Server,
  header: (name: string) => string | undefined,
  peer: string | undefined
) => {
  const isLocal = isOnSocket(config)
  const trusted = config?.trustedProxies ?? []
  // Most apps trust no proxy, so their requests read no header.
  if (!isLocal && trusted.length === 0) return peer && canonical(peer)?.text
  const headers = {
    forwarded: header("forwarded"),
    "x-forwarded-for": header("x-forwarded-for"),
    "x-real-ip": header("x-real-ip")
  }
  return derive({ headers, isLocal, peer }, trusted)
}
