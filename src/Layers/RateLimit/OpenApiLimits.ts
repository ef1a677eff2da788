/** Adds rate limits to the OpenAPI document of an app. */
import * as Context from "effect/Context"
import type * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import { chainOf } from "../../Contract/Authentication.ts"
import { Limited, RatePolicy } from "../../Contract/RatePolicy.ts"

/**
 * Returns the contract with 429 on every endpoint that has a limit. Only the OpenAPI document uses
 * the result; the server runs the original contract.
 */
export const annotate = (api: HttpApi.Top): HttpApi.Top =>
  Object.values(api.groups).reduce<HttpApi.Top>(
    (whole, group) => whole.add(described(group)) as HttpApi.Top,
    api
  )

const described = (group: HttpApiGroup.Top): HttpApiGroup.Top =>
  // `add` replaces an endpoint of the same name.
  Object.values(group.endpoints).reduce<HttpApiGroup.Top>(
    (whole, endpoint) => whole.add(limited(endpoint, group) as never) as never,
    group
  )

const limited = (endpoint: HttpApiEndpoint.Top, group: HttpApiGroup.Top): HttpApiEndpoint.Top => {
  const keys: ReadonlyArray<object> = [...endpoint.middlewares]
  const policy = policyOf(endpoint) ?? policyOf(group)
  const isLimited =
    policy !== "unlimited" &&
    (policy !== undefined ||
      keys.includes(Limited) ||
      keys.some((key) => chainOf(key) !== undefined))
  if (!isLimited) return endpoint
  const before = Context.getOrUndefined(
    endpoint.annotations as Context.Context<never>,
    OpenApi.Transform
  )
  const annotated = endpoint.annotate(OpenApi.Transform, (operation) => {
    const mine = withHeaders(operation)
    return before === undefined ? mine : before(mine)
  })
  return Object.assign(annotated, {
    middlewares: new Set([...annotated.middlewares, Limited])
  }) as HttpApiEndpoint.Top
}

const policyOf = ({ annotations }: { readonly annotations: Context.Context<never> }) =>
  Context.getOrUndefined(annotations as Context.Context<RatePolicy>, RatePolicy)

const withHeaders = (operation: Readonly<Record<string, unknown>>): Record<string, unknown> => {
  const { responses } = operation as unknown as OpenApi.OpenAPISpecOperation
  const refused = responses[429]
  return refused === undefined
    ? { ...operation }
    : {
        ...operation,
        responses: {
          ...responses,
          429: {
            ...refused,
            headers: {
              "retry-after": {
                description: "Seconds to wait (RFC 9110, section 10.2.3).",
                required: true,
                schema: { minimum: 1, type: "integer" }
              }
            }
          }
        }
      }
}
