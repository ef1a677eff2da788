/** Adds rate limits to the OpenAPI document of an app. */
import * as Context from "effect/Context"
import type * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { chainOf } from "../../Contract/Authentication.ts"
import { Limited, RatePolicy } from "../../Contract/RatePolicy.ts"
import * as DocumentedContract from "../../Server/Route/DocumentedContract.ts"

/**
 * Returns the contract with 429 on every endpoint that has a limit. Only the OpenAPI document uses
 * the result; the server runs the original contract.
 */
export const annotate = (api: HttpApi.Top): HttpApi.Top =>
  DocumentedContract.changed(api, (endpoint, group) =>
    isLimited(endpoint, group) ? DocumentedContract.limited(endpoint, Limited) : endpoint
  )

const isLimited = (endpoint: HttpApiEndpoint.Top, group: HttpApiGroup.Top): boolean => {
  const keys: ReadonlyArray<object> = [...endpoint.middlewares]
  const policy = policyOf(endpoint) ?? policyOf(group)
  return (
    policy !== "unlimited" &&
    (policy !== undefined ||
      keys.includes(Limited) ||
      keys.some((key) => chainOf(key) !== undefined))
  )
}

const policyOf = ({ annotations }: { readonly annotations: Context.Context<never> }) =>
  Context.getOrUndefined(annotations as Context.Context<RatePolicy>, RatePolicy)
