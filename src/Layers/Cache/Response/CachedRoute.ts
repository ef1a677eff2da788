/** Finds the routes whose replies are cached. */
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as Annotation from "../../../Server/Route/Annotation.ts"
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

/** The part of a route that says whether its replies are cached. */
export type Source = Pick<RouteInfo, "contract" | "endpoint" | "group">

const cachedMethods: ReadonlySet<string> = new Set(["GET", "HEAD"])

/** Whether replies to a method can be cached. */
export const isCacheable = (method: string): boolean => cachedMethods.has(method)

/** Returns the policy of the endpoint itself; undefined if it has none or opts out. */
export const ownPolicy = (endpoint: Annotation.Annotated): CachePolicy | undefined => {
  const own = Annotation.nearest(ResponseCache, endpoint)
  return own === false ? undefined : own
}

/** Returns the cached route; undefined if its replies are not cached. */
export const find = ({ contract, endpoint, group }: Source): CachedRoute | undefined => {
  if (endpoint === undefined || !isCacheable(endpoint.method)) return undefined
  const policy = Annotation.nearest(ResponseCache, endpoint, contract)
  if (policy === undefined || policy === false) return undefined
  const { rules } = policy
  const own = Annotation.nearest(ResponseTags, endpoint)
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
