/** Adds the header of keys, its errors and the header of repeated replies to the OpenAPI document. */
import type * as HttpApi from "effect/http-api/HttpApi"
import type * as OpenApi from "effect/http-api/OpenApi"
import * as SentKey from "../../Contract/SentKey.ts"
import * as DocumentedContract from "../../Server/Route/DocumentedContract.ts"
import { IdempotencyErrors } from "./Contract.ts"
import * as IdempotentRoute from "./IdempotentRoute.ts"
import { replayed } from "./KeptReply.ts"

const withHeaders = (responses: OpenApi.OpenAPISpecOperation["responses"]): object =>
  Object.keys(responses).reduce<object>((all, text) => {
    const status = Number(text)
    if (status >= 500) return all
    const marked = DocumentedContract.withHeader(all as never, status, replayed, {
      description: "`true` if the reply is that of an earlier request with the same key.",
      schema: { enum: ["true"], type: "string" }
    })
    return status === 409
      ? DocumentedContract.withHeader(marked as never, status, "retry-after", {
          description:
            "Seconds to wait while a request with the same key is running (RFC 9110, section 10.2.3).",
          schema: { minimum: 1, type: "integer" }
        })
      : marked
  }, responses)

/**
 * Returns the contract with the keys of its endpoints. Only the OpenAPI document uses the result; the server
 * runs the original contract.
 */
export const annotate = (api: HttpApi.Top): HttpApi.Top =>
  DocumentedContract.changed(api, (endpoint, contract) => {
    const rules = IdempotentRoute.find({ contract, endpoint })
    if (rules === undefined) return endpoint
    return DocumentedContract.withTransform(
      DocumentedContract.withMiddlewares(endpoint, [...endpoint.middlewares, IdempotencyErrors]),
      (operation) => ({
        ...operation,
        parameters: [
          ...operation.parameters.filter(({ name }) => name.toLowerCase() !== SentKey.header),
          {
            description:
              "Names the request: a random UUID, and the same one with each attempt. A request that was carried out is answered with its first reply.",
            in: "header",
            name: SentKey.header,
            required: rules.required,
            schema: { maxLength: 512, minLength: 1, type: "string" }
          }
        ],
        responses: withHeaders(operation.responses)
      })
    )
  })
