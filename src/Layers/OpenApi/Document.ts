/** The OpenAPI document of an app. */
import type * as HttpApi from "effect/http-api/HttpApi"
import * as OpenApi from "effect/http-api/OpenApi"

/** The members of a path item that OpenAPI 3.1 knows, beside extensions. */
const known: ReadonlySet<string> = new Set([
  "$ref",
  "delete",
  "description",
  "get",
  "head",
  "options",
  "parameters",
  "patch",
  "post",
  "put",
  "servers",
  "summary",
  "trace"
])

/**
 * The contract with what the document says besides it: `info` from the app, and
 * operations with a method that OpenAPI 3.1 has no place for in
 * `x-oai-additionalOperations`, where 3.2 and Effect's own generator have them.
 */
export const annotated = (
  api: HttpApi.Top,
  info: { readonly name: string; readonly version: string }
): HttpApi.Top =>
  api
    .annotate(OpenApi.Title, info.name)
    .annotate(OpenApi.Version, info.version)
    .annotate(OpenApi.Transform, (document) => ({
      ...document,
      paths: Object.fromEntries(
        Object.entries((document as OpenApi.OpenAPISpec).paths).map(([path, item]) => [
          path,
          additional(item)
        ])
      )
    }))

const additional = (item: object): object => {
  const others = Object.entries(item).filter(([key]) => !known.has(key) && !key.startsWith("x-"))
  if (others.length === 0) return item
  const more = (item as OpenApi.OpenAPISpecPathItem)["x-oai-additionalOperations"]
  return {
    ...Object.fromEntries(
      Object.entries(item).filter(([key]) => known.has(key) || key.startsWith("x-"))
    ),
    "x-oai-additionalOperations": {
      ...more,
      ...Object.fromEntries(others.map(([method, operation]) => [method.toUpperCase(), operation]))
    }
  }
}

/** The document as JSON. */
export const toJson = (api: HttpApi.Top): string => JSON.stringify(OpenApi.fromApi(api))
