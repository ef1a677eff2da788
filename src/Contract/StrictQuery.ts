/** Whether an endpoint refuses unknown keys of the query, as part of its contract. */
import * as Context from "effect/Context"

/**
 * The annotation by which an endpoint, or all endpoints of a group, refuse a query with a key that
 * the contract does not have: 400 with the key and the known key that it resembles. The nearest
 * annotation wins. The default is `server.strictQuery` of the configuration, which is false: unknown
 * keys are ignored.
 *
 * A key that middleware reads, such as an API key, is known only if the query of the contract has
 * it.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
 * import { Pagination, StrictQuery } from "flange/Contract"
 *
 * const ItemsApi = HttpApiGroup.make("items")
 *   .add(HttpApiEndpoint.get("list", "/v1/items", { query: Pagination.query }))
 *   .annotate(StrictQuery, true)
 * ItemsApi.endpoints.list.path // => "/v1/items"
 * ```
 */
export class StrictQuery extends Context.Service<StrictQuery, boolean>()("flange/StrictQuery") {}

/** Returns the annotation in the annotations of an endpoint over those of its group. */
export const of = (annotations: Context.Context<never>): boolean | undefined =>
  // Annotations are not part of a type.
  Context.getOrUndefined(annotations as Context.Context<StrictQuery>, StrictQuery)
