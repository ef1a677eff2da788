/** Finds the limits of a route. */
import * as Duration from "effect/Duration"
import {
  type Algorithm,
  Limited,
  type Policy,
  RateCost,
  RatePolicy
} from "../../Contract/RatePolicy.ts"
import * as Annotation from "../../Server/Route/Annotation.ts"
import type { RateLimit, RouteInfo } from "../../Server/Route/Middleware.ts"
import type { RateLimitConfig } from "./RateLimitConfig.ts"
import type { Rule } from "./Rule.ts"

/** The name of the limit of the configuration. */
export const shared = "default"

/** A limit of a route as its contract declares it. */
export interface Declared {
  readonly by: string
  readonly cost: number
  readonly name: string
  /** Undefined if the configuration sets it. */
  readonly policy: Policy | undefined
}

/** A limit, computed once for a route. */
export interface Limit {
  readonly by: string
  readonly name: string
  readonly rule: Rule
  /** The item of `RateLimit-Policy`. */
  readonly text: string
}

type Source = Pick<RouteInfo, "contract" | "endpoint" | "group">

/** Returns the nearest annotation, and the name of its limits. */
export const annotated = ({ contract, endpoint, group }: Source) => {
  const own = Annotation.nearest(RatePolicy, endpoint)
  if (own !== undefined) return { base: `${group}.${endpoint!.identifier}`, policy: own }
  const whole = Annotation.nearest(RatePolicy, contract)
  return whole === undefined ? undefined : { base: group, policy: whole }
}

/** Returns the limits of a route as its contract declares them, without those of others. */
export const declared = (route: Pick<RouteInfo, "access"> & Source): ReadonlyArray<Declared> => {
  const { access, contract, endpoint } = route
  if (access.type === "bare") return []
  const cost = Annotation.nearest(RateCost, endpoint, contract) ?? 1
  const found = annotated(route)
  if (found === undefined) {
    const isAsked = endpoint?.middlewares.has(Limited as never) === true
    return access.type === "public" && !isAsked
      ? []
      : [{ by: "caller", cost, name: shared, policy: undefined }]
  }
  const { base, policy } = found
  if (policy === "unlimited") return []
  return (Array.isArray(policy) ? (policy as ReadonlyArray<Policy>) : [policy as Policy]).map(
    (one) => ({
      by: one.by ?? "caller",
      cost,
      name: one.name === undefined ? base : `${base}.${one.name}`,
      policy: one
    })
  )
}

/** Whether a limit is checked before authentication. */
export const isEarly = ({ by }: Pick<Declared, "by">): boolean => by === "address"

type Settings = (typeof RateLimitConfig)["Service"]

/** Returns the rule of a limit. */
export const ruleOf = ({ cost, policy }: Declared, config: Settings): Rule => {
  const { algorithm, burst, limit, window } = policy ?? config
  return {
    algorithm: algorithm ?? "token-bucket",
    capacity: burst ?? limit,
    cost,
    limit,
    windowMillis: Duration.toMillis(window)
  }
}

/** Returns the limits of a route. */
export const find = (config: Settings, route: RouteInfo): ReadonlyArray<Limit> =>
  config.enabled
    ? declared(route).map((one) => {
        const rule = ruleOf(one, config)
        return { by: one.by, name: one.name, rule, text: textOf(one.name, rule) }
      })
    : []

/** Returns a limit as data. */
export const describe = ({ by, cost, name, policy }: Declared): RateLimit => ({
  by,
  cost,
  name,
  policy: policy && {
    algorithm: policy.algorithm ?? ("token-bucket" satisfies Algorithm),
    burst: policy.burst ?? policy.limit,
    limit: policy.limit,
    window: Duration.toMillis(policy.window)
  }
})

const textOf = (name: string, { capacity, limit, windowMillis }: Rule): string =>
  `${quoted(name)};q=${integer(limit)};w=${Math.ceil(windowMillis / 1000)}` +
  (capacity === limit ? "" : `;flange-burst=${integer(capacity)}`)

/** Returns a name as a string of a structured field. Source: RFC 9651, section 3.3.3. */
export const quoted = (name: string): string => `"${name.replaceAll(/[^\x20-\x7e]|["\\]/g, "_")}"`

/** Returns a number as an integer of a structured field. Source: RFC 9651, section 3.3.1. */
export const integer = (value: number): number => Math.min(value, 999_999_999_999_999)
