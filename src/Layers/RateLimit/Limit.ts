/** Finds the limit of a route. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import { RateLimited } from "../../Contract/Catalogue.ts"
import { Limited, type Policy, RatePolicy } from "../../Contract/RatePolicy.ts"
import type { Describe, RouteInfo } from "../../Server/Route/Middleware.ts"
import type { RateLimitConfig } from "./RateLimitConfig.ts"

/** A limit, computed once for a route. */
export interface Limit {
  /** The number of tokens in a full bucket. */
  readonly burst: number
  readonly name: string
  readonly refillMillis: number
  readonly refillRate: Duration.Duration
  /** The value of `RateLimit-Policy`. */
  readonly text: string
}

type Annotated = { readonly annotations: Context.Context<never> } | undefined

const policyOf = (contract: Annotated) =>
  contract &&
  Context.getOrUndefined(contract.annotations as Context.Context<RatePolicy>, RatePolicy)

/** Returns the policy of the endpoint, or else that of its group, with the name of the limit. */
const declared = ({ contract, endpoint, group }: RouteInfo) => {
  const own = policyOf(endpoint)
  if (own !== undefined) return { name: `${group}.${endpoint!.identifier}`, policy: own }
  const shared = policyOf(contract)
  return shared === undefined ? undefined : { name: group, policy: shared }
}

/**
 * Returns the name of the limit of a route, and its policy if the contract has one; `undefined` if
 * the route is not limited.
 */
const named = (route: RouteInfo): { name: string; policy: Policy | undefined } | undefined => {
  const { access, endpoint } = route
  if (access.type === "bare") return undefined
  const own = declared(route)
  if (own === undefined) {
    const isAsked = endpoint?.middlewares.has(Limited as never) === true
    return access.type === "public" && !isAsked ? undefined : { name: "default", policy: undefined }
  }
  const { name, policy } = own
  return policy === "unlimited" ? undefined : { name, policy }
}

/** Returns the limit of a route; `undefined` if the route is not limited. */
export const find = (
  config: (typeof RateLimitConfig)["Service"],
  route: RouteInfo
): Limit | undefined => {
  const found = config.enabled ? named(route) : undefined
  return found && make(found.name, found.policy ?? config)
}

/** Describes the limit of a route; `undefined` if the route is not limited. */
export const describe: Describe = (route) => {
  const found = named(route)
  if (found === undefined) return undefined
  const { name, policy } = found
  return {
    errors: [RateLimited],
    rateLimit: {
      name,
      policy: policy && {
        burst: policy.burst ?? policy.limit,
        limit: policy.limit,
        window: Duration.toMillis(policy.window)
      }
    }
  }
}

const make = (name: string, { burst, limit, window }: Policy): Limit => {
  const millis = Duration.toMillis(window)
  const capacity = burst ?? limit
  if (!isCount(limit) || !isCount(capacity) || !(millis > 0 && Number.isFinite(millis))) {
    throw new Error(
      `The rate limit "${name}" is ${limit} requests in ${millis} ms with a burst of ${capacity}: limit and burst are whole numbers from 1, the window is finite and above zero. Correct its RatePolicy.`
    )
  }
  const refillMillis = millis / limit
  return {
    burst: capacity,
    name,
    refillMillis,
    refillRate: Duration.millis(refillMillis),
    text:
      `${quoted(name)};q=${limit};w=${Math.ceil(millis / 1000)}` +
      (capacity === limit ? "" : `;flange-burst=${capacity}`)
  }
}

const isCount = (n: number) => Number.isSafeInteger(n) && n > 0

/** Returns a name as a string of a structured field. Source: RFC 9651, section 3.3.3. */
export const quoted = (name: string): string => `"${name.replaceAll(/[^\x20-\x7e]|["\\]/g, "_")}"`
