/** Adds the headers of cached replies to the OpenAPI document of an app. */
import type * as HttpApi from "effect/http-api/HttpApi"
import * as DocumentedContract from "../../../Server/Route/DocumentedContract.ts"
import * as CachedRoute from "./CachedRoute.ts"

const headers = [
  ["age", "Seconds since the reply was made (RFC 9111, section 5.1).", "integer"],
  ["cache-control", "How long a client may use the reply (RFC 9111, section 5.2).", "string"],
  ["etag", "The validator for `If-None-Match` (RFC 9110, section 8.8.3).", "string"],
  ["last-modified", "When the reply was made (RFC 9110, section 8.8.2).", "string"],
  ["x-cache", "`HIT` if the reply was stored, `MISS` or `BYPASS` if not.", "string"]
] as const

/**
 * Returns the contract with the headers of cached replies. Only the OpenAPI document uses the result;
 * the server runs the original contract.
 */
export const annotate = (api: HttpApi.Top): HttpApi.Top =>
  DocumentedContract.changed(api, (endpoint, contract) => {
    const route = CachedRoute.find({ contract, endpoint, group: contract.identifier })
    if (route === undefined) return endpoint
    return DocumentedContract.withTransform(endpoint, (operation) => ({
      ...operation,
      responses: route.rules.statuses.reduce<object>(
        (all, status) =>
          headers.reduce<object>(
            (some, [name, description, type]) =>
              DocumentedContract.withHeader(some as never, status, name, {
                description,
                schema: { type }
              }),
            all
          ),
        operation.responses
      )
    }))
  })
