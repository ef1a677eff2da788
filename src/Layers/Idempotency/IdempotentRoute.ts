/** Finds the routes whose requests can be repeated with a key. */
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as Annotation from "../../Server/Route/Annotation.ts"
import type { Describe, RouteInfo } from "../../Server/Route/Middleware.ts"
import { errors, Idempotent, type Rules } from "./Contract.ts"

/** The part of a route that says whether its requests can be repeated. */
export type Source = Pick<RouteInfo, "contract" | "endpoint">

const methods: ReadonlySet<string> = new Set(["DELETE", "PATCH", "POST", "PUT"])

/** Whether requests of a method change something. */
export const changes = (method: string): boolean => methods.has(method)

/** Returns the rules of a route; undefined if its requests have no keys. */
export const find = ({
  contract,
  endpoint
}: {
  readonly contract: Annotation.Annotated
  readonly endpoint: HttpApiEndpoint.Top | undefined
}): Rules | undefined => {
  if (endpoint === undefined || !changes(endpoint.method)) return undefined
  const rules = Annotation.nearest(Idempotent, endpoint, contract)
  return rules === false ? undefined : rules
}

/** Describes how a route treats keys; undefined if it ignores them. */
export const describe: Describe = (route) => {
  const idempotency = route.access.type === "bare" ? undefined : find(route)
  return idempotency && { errors: errors, idempotency }
}
