/** Finds the routes whose requests can be repeated with a key. */
import * as Context from "effect/Context"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type { Describe, RouteInfo } from "../../Server/Route/Middleware.ts"
import { errors, Idempotent, type Rules } from "./Contract.ts"

/** The part of a route that says whether its requests can be repeated. */
export type Source = Pick<RouteInfo, "contract" | "endpoint">

type Annotated = { readonly annotations: Context.Context<never> } | undefined

const methods: ReadonlySet<string> = new Set(["DELETE", "PATCH", "POST", "PUT"])

/** Whether requests of a method change something. */
export const changes = (method: string): boolean => methods.has(method)

/** Returns the rules of the endpoint itself, or of its group; undefined if there are none. */
export const ownRules = (annotated: Annotated): false | Rules | undefined =>
  annotated &&
  // Annotations are not part of a type.
  Context.getOrUndefined(annotated.annotations as Context.Context<Idempotent>, Idempotent)

/** Returns the rules of a route; undefined if its requests have no keys. */
export const find = ({
  contract,
  endpoint
}: {
  readonly contract: Annotated
  readonly endpoint: HttpApiEndpoint.Top | undefined
}): Rules | undefined => {
  if (endpoint === undefined || !changes(endpoint.method)) return undefined
  const rules = ownRules(endpoint) ?? ownRules(contract)
  return rules === false ? undefined : rules
}

/** Describes how a route treats keys; undefined if it ignores them. */
export const describe: Describe = (route) => {
  const idempotency = route.access.type === "bare" ? undefined : find(route)
  return idempotency && { errors: errors, idempotency }
}
