/** Networks in configuration: CIDR notation, or one address. */
import * as Effect from "effect/Effect"
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaIssue from "effect/SchemaIssue"
import { expected } from "./Expected.ts"

const words = 'a network such as "10.0.0.0/8" or "fd00::/8", without host bits, or one address'

/** Parses a network in CIDR notation, or an address, which is a network of one address. */
const parse = (text: string): IpNetwork.IpNetwork | undefined => {
  if (text.includes("/")) return Result.getOrUndefined(IpNetwork.fromString(text))
  const address = Result.getOrUndefined(NetAddress.ipFromString(text))
  if (address === undefined) return undefined
  const canonical = NetAddress.toCanonical(address)
  return IpNetwork.makeUnsafe(canonical, NetAddress.width(canonical))
}

/**
 * A network of IP addresses, for configuration: CIDR notation (RFC 4632, RFC
 * 4291) or one address. Names and ranges are refused.
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import { Network } from "flange"
 *
 * Schema.decodeSync(Network)("10.0.0.0/8").prefixLength // => 8
 * ```
 */
export const Network: Schema.Codec<IpNetwork.IpNetwork, string> = Schema.String.pipe(
  Schema.decodeTo(Schema.IpNetwork, {
    decode: SchemaGetter.transformEffect((text: string) => {
      const network = parse(text)
      return network === undefined
        ? Effect.fail(new SchemaIssue.InvalidValue({ message: `not ${words}` }))
        : Effect.succeed(network)
    }),
    encode: SchemaGetter.transform(IpNetwork.format)
  })
).pipe(expected(words))
