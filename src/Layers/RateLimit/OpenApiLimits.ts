/** Adds rate limits to the OpenAPI document of an app. */
import type * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import { chainOf } from "../../Contract/Authentication.ts"
import { Limited } from "../../Contract/RatePolicy.ts"
import * as DocumentedContract from "../../Server/Route/DocumentedContract.ts"
import * as Limit from "./Limit.ts"

const headers = {
  ratelimit: {
    description:
      'The requests that are left for each limit (`r`), and the seconds until there is one more (`t`): `"default";r=0;t=2` (draft-ietf-httpapi-ratelimit-headers).',
    schema: { type: "string" }
  },
  "ratelimit-policy": {
    description:
      'The limits: requests (`q`) in a number of seconds (`w`): `"default";q=600;w=60` (draft-ietf-httpapi-ratelimit-headers).',
    schema: { type: "string" }
  }
}

/**
 * Returns the contract with 429 on every endpoint that has a limit. Only the OpenAPI document uses
 * the result; the server runs the original contract.
 */
export const annotate = (api: HttpApi.Top): HttpApi.Top =>
  DocumentedContract.changed(api, (endpoint, group) =>
    isLimited(endpoint, group) ? limited(endpoint) : endpoint
  )

/** Returns the endpoint with 429 and the headers of the reply. */
const limited = (endpoint: HttpApiEndpoint.Top): HttpApiEndpoint.Top =>
  DocumentedContract.limited(
    DocumentedContract.withTransform(endpoint, (operation) => ({
      ...operation,
      responses: Object.entries(headers).reduce(
        (responses, [name, header]) =>
          DocumentedContract.withHeader(responses, 429, name, header) as typeof responses,
        operation.responses
      )
    })),
    Limited
  )

/** Whether an endpoint of an app has a limit. */
export const isLimited = (endpoint: HttpApiEndpoint.Top, group: HttpApiGroup.Top): boolean => {
  const keys: ReadonlyArray<object> = [...endpoint.middlewares]
  const found = Limit.annotated({ contract: group, endpoint, group: group.identifier })
  return found === undefined
    ? keys.includes(Limited) || keys.some((key) => chainOf(key) !== undefined)
    : found.policy !== "unlimited"
}
