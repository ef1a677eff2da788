/** Finds the routes whose replies are cached. */
import * as Context from "effect/Context"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type { Describe, RouteInfo } from "../../../Server/Route/Middleware.ts"
import type { CachePolicy } from "../Contract.ts"
import { ResponseCache, ResponseTags, type Rules, type TagsOf } from "../Contract.ts"

/** A route whose replies are cached. */
export interface CachedRoute {
  readonly endpoint: HttpApiEndpoint.Top
  readonly group: string
  readonly rules: Rules
  readonly tagsOf: TagsOf
}

type Annotated = { readonly annotations: Context.Context<never> } | undefined

/** Returns an annotation: they are not part of a type. */
const annotationOf = <I, S>(annotated: Annotated, key: Context.Key<I, S>): S | undefined =>
  annotated && Context.getOrUndefined(annotated.annotations as Context.Context<I>, key)

/** The part of a route that says whether its replies are cached. */
export type Source = Pick<RouteInfo, "contract" | "endpoint" | "group">

const cachedMethods: ReadonlySet<string> = new Set(["GET", "HEAD"])

/** Whether replies to a method can be cached. */
export const isCacheable = (method: string): boolean => cachedMethods.has(method)

/** Returns the policy of the endpoint itself; undefined if it has none or opts out. */
export const ownPolicy = (endpoint: Annotated): CachePolicy | undefined => {
  const own = annotationOf(endpoint, ResponseCache)
  return own === false ? undefined : own
}

/** Returns the cached route; undefined if its replies are not cached. */
export const find = ({ contract, endpoint, group }: Source): CachedRoute | undefined => {
  if (endpoint === undefined || !isCacheable(endpoint.method)) return undefined
  const policy = annotationOf(endpoint, ResponseCache) ?? annotationOf(contract, ResponseCache)
  if (policy === undefined || policy === false) return undefined
  const { rules } = policy
  const own = annotationOf(endpoint, ResponseTags)
  return {
    endpoint,
    group,
    rules,
    tagsOf: own === undefined ? () => rules.tags : (params) => [...rules.tags, ...own(params)]
  }
}

/** Describes how the replies of a route are cached; undefined if they are not. */
export const describe: Describe = (route) => {
  const rules = find(route)?.rules
  return rules && { cache: { sharing: rules.sharing, ttl: rules.ttl, varyBy: rules.headers } }
}
