/**
 * Changes of the contract that only the OpenAPI document uses. The server runs the original
 * contract.
 */
import * as Context from "effect/Context"
import type * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"

/** Returns the contract with every endpoint changed. */
export const changed = (
  api: HttpApi.Top,
  change: (endpoint: HttpApiEndpoint.Top, group: HttpApiGroup.Top) => HttpApiEndpoint.Top
): HttpApi.Top =>
  // `add` replaces a group, and an endpoint, of the same name. Here the names are no types.
  Object.values(api.groups).reduce<HttpApi.Top>(
    (all, group) =>
      all.add(
        Object.values(group.endpoints).reduce<HttpApiGroup.Top>(
          (whole, endpoint) => whole.add(change(endpoint, group) as never) as never,
          group
        )
      ) as HttpApi.Top,
    api
  )

/** Returns the endpoint with these middleware keys. */
export const withMiddlewares = (
  endpoint: HttpApiEndpoint.Top,
  keys: Iterable<object>
): HttpApiEndpoint.Top =>
  Object.assign(Object.create(Object.getPrototypeOf(endpoint) as object), endpoint, {
    middlewares: new Set(keys)
  }) as HttpApiEndpoint.Top

type Transform = (value: Record<string, unknown>) => Record<string, unknown>

/** Returns a change that comes before the one of the annotations. */
const before = (annotations: Context.Context<never>, transform: Transform): Transform => {
  const own = Context.getOrUndefined(annotations, OpenApi.Transform)
  return (value) => (own === undefined ? transform(value) : own(transform(value)))
}

/** Returns the endpoint with its operation changed, before the contract's own changes of it. */
export const withTransform = (
  endpoint: HttpApiEndpoint.Top,
  transform: (operation: OpenApi.OpenAPISpecOperation) => Record<string, unknown>
): HttpApiEndpoint.Top =>
  endpoint.annotate(
    OpenApi.Transform,
    before(endpoint.annotations, (operation) =>
      // Effect makes the operation.
      transform(operation as unknown as OpenApi.OpenAPISpecOperation)
    )
  )

/** Returns the contract with its document changed, before the contract's own changes of it. */
export const withDocument = (
  api: HttpApi.Top,
  transform: (document: OpenApi.OpenAPISpec) => Record<string, unknown>
): HttpApi.Top =>
  api.annotate(
    OpenApi.Transform,
    before(api.annotations, (document) =>
      // Effect makes the document.
      transform(document as unknown as OpenApi.OpenAPISpec)
    )
  )

/** Returns the endpoint with the 429 of a middleware key, which has `Retry-After`. */
export const limited = (endpoint: HttpApiEndpoint.Top, key: object): HttpApiEndpoint.Top =>
  withTransform(withMiddlewares(endpoint, [...endpoint.middlewares, key]), (operation) => ({
    ...operation,
    responses: withHeader(operation.responses, 429, "retry-after", {
      description: "Seconds to wait (RFC 9110, section 10.2.3).",
      required: true,
      schema: { minimum: 1, type: "integer" }
    })
  }))

/** Returns the responses with a header at one status, if they have the status. */
export const withHeader = (
  responses: OpenApi.OpenAPISpecOperation["responses"],
  status: number,
  name: string,
  header: object
): object => {
  const response = responses[status]
  return response === undefined
    ? responses
    : {
        ...responses,
        [status]: { ...response, headers: { ...response.headers, [name]: header } }
      }
}
