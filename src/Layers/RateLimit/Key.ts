/** The keys under which requests are counted. */
import { createHash } from "node:crypto"
import type * as Effect from "effect/Effect"
import { CurrentCaller } from "../../Contract/Authentication.ts"
import * as Contribution from "../../Plugin/Contribution.ts"
import type * as Before from "../../Server/Exchange/Before.ts"
import * as ClientIp from "../../Server/Exchange/ClientIp.ts"

/** Returns the key of a request, or undefined to count it by its caller. */
export type Extract = (request: Before.Incoming) => string | undefined

/** The kind of contribution that holds an extractor of keys. */
export const kind = Contribution.kind<undefined, Extract>()("flange/rate-limit-key")

/** What a policy may count by without an extractor. */
export const builtIn: ReadonlyArray<string> = ["address", "caller"]

/**
 * Creates the extractor of the keys of policies with this name in `by`, for `contributes` of a
 * plugin. `build` runs once. If the function that it returns returns undefined, the request is counted
 * by its caller. A client must not choose the key freely: each key has a count of its own.
 *
 * Throws if the name is not in lower case, or is one that policies have already.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { CurrentIdentity, Plugin } from "flange"
 * import * as RateLimit from "flange/RateLimit"
 *
 * const Tenants = Plugin.make("app:tenants", {
 *   contributes: [
 *     RateLimit.key(
 *       "tenant",
 *       Effect.succeed((request) => {
 *         const tenant = request.find(CurrentIdentity)?.attributes["tenant"]
 *         return typeof tenant === "string" ? tenant : undefined
 *       })
 *     )
 *   ]
 * })
 * Tenants.id // => "app:tenants"
 * ```
 */
export const key = <E = never, R = never>(name: string, build: Effect.Effect<Extract, E, R>) => {
  if (!/^[a-z][a-z0-9-]*$/.test(name) || [...builtIn, "ip"].includes(name)) {
    throw new Error(
      `The extractor of rate limit keys "${name}" cannot have this name: address, caller and ip are taken, and others are of lower-case letters, digits and -. Give it another name, such as "tenant".`
    )
  }
  return kind.make(name, undefined, build)
}

/** The longest text of a key, in UTF-16 units. Only texts with a digest have this length. */
const maxLength = 128

/**
 * Returns a text of less than 128 units as it is, and for a longer one 128 units: its beginning and a
 * digest. So the memory of a key has a bound, and different texts stay different.
 */
export const bounded = (text: string): string => {
  if (text.length < maxLength) return text
  // UTF-8 would make different texts with lone surrogates equal.
  const digest = createHash("sha256").update(Buffer.from(text, "utf16le")).digest("base64url")
  return `${text.slice(0, maxLength - digest.length - 1)}#${digest}`
}

/** Returns the key of an authenticated caller. */
export const caller = (chain: string, subject: string): string =>
  bounded(`caller:${chain}:${subject}`)

/**
 * Returns the key of a caller that is known by address only. For IPv6 it is the /64 network, which
 * a provider assigns to one customer. Callers without an address, as on a unix socket without a
 * trusted proxy, share one limit.
 */
export const address = (address: string | undefined): string =>
  address === undefined ? "ip:unknown" : `ip:${ClientIp.networkOf(address)}`

const addressOf = (request: Before.Incoming): string => address(ClientIp.resolve(request))

const callerOf = (request: Before.Incoming): string => {
  const found = request.get(CurrentCaller)
  return found?.identity === undefined
    ? addressOf(request)
    : caller(found.chain, found.identity.subject)
}

/**
 * Returns the function that computes the keys of a policy with this `by`; undefined if `by` is the name
 * of no extractor.
 */
export const make = (
  by: string,
  extractors: ReadonlyMap<string, Extract>
): ((request: Before.Incoming) => string) | undefined => {
  if (by === "address") return addressOf
  if (by === "caller") return callerOf
  const extract = extractors.get(by)
  return (
    extract &&
    ((request) => {
      const value = extract(request)
      return value === undefined ? callerOf(request) : bounded(`${by}:${value}`)
    })
  )
}
