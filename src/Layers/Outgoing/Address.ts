/** Which addresses are those of public hosts. */
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"

const networks = (texts: ReadonlyArray<string>) => texts.map(IpNetwork.fromStringUnsafe)

/**
 * The IPv4 networks that are not public, and the address at which Azure answers its machines. Source:
 * IANA IPv4 Special-Purpose Address Registry, RFC 6890, RFC 5771.
 */
const special4 = networks([
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "168.63.129.16/32",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4"
])

/** All public IPv6 addresses. Source: RFC 4291, section 2.4; IANA IPv6 Global Unicast registry. */
const global6 = IpNetwork.fromStringUnsafe("2000::/3")

/** The networks of `global6` that are not public, or that contain IPv4 addresses (Teredo, 6to4). */
const special6 = networks(["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"])

/** The IPv6 addresses that stand for IPv4 addresses. Source: RFC 6052. */
const nat64 = IpNetwork.fromStringUnsafe("64:ff9b::/96")

const isIn = (all: ReadonlyArray<IpNetwork.IpNetwork>, address: NetAddress.IpAddress): boolean =>
  all.some((network) => IpNetwork.contains(network, address))

/** Returns the IPv4 address that an IPv6 address stands for, or the address itself. */
const embedded = (address: NetAddress.IpAddress): NetAddress.IpAddress => {
  const canonical = NetAddress.toCanonical(address)
  if (NetAddress.isIpv4Address(canonical) || !IpNetwork.contains(nat64, canonical)) return canonical
  const [high, low] = NetAddress.ipv6ToSegments(canonical).slice(6) as [number, number]
  return NetAddress.ipv4FromBytesUnsafe(Uint8Array.of(high >> 8, high & 0xff, low >> 8, low & 0xff))
}

/**
 * Checks whether an address may be called: it is public, or in one of the `allowed` networks. Text that is
 * not an address may not.
 */
export const isAllowed = (text: string, allowed: ReadonlyArray<IpNetwork.IpNetwork>): boolean => {
  const parsed = NetAddress.ipFromString(text)
  if (Result.isFailure(parsed)) return false
  const address = embedded(parsed.success)
  if (isIn(allowed, address)) return true
  return NetAddress.isIpv4Address(address)
    ? !isIn(special4, address)
    : IpNetwork.contains(global6, address) && !isIn(special6, address)
}
