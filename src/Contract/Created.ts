/**
 * The reply to a request that created a resource: status 201, and the address of the resource in
 * `Location`.
 */
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import * as Location from "./Location.ts"

const schema = <Body extends Schema.Top>(body: Body) =>
  HttpApiSchema.WithHeaders(body.pipe(HttpApiSchema.status(201)), { location: Schema.String })

const at = <Body>(location: string, body: Body) =>
  HttpApiSchema.withHeaders({
    body,
    headers: { location: Location.encoded(location) }
  })

/**
 * Creates the schema of a reply with status 201, the body and the header
 * `Location`. `Created.at` creates the reply in a handler.
 *
 * Characters of the location that a URI may not have are percent-encoded. Pass text that may
 * contain `/`, `?` or `#` through `encodeURIComponent` first.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import { Route } from "flange"
 * import { Created } from "flange/Contract"
 *
 * const Item = Schema.Struct({ id: Schema.Int, name: Schema.String })
 *
 * class ItemsApi extends HttpApiGroup.make("items").add(
 *   HttpApiEndpoint.post("create", "/v1/items", { payload: Item, success: Created(Item) })
 * ) {}
 *
 * Route.public(ItemsApi, (handlers) =>
 *   handlers.handleAll({
 *     create: ({ payload }) => Effect.succeed(Created.at(`/v1/items/${payload.id}`, payload))
 *   })
 * )
 *
 * Created.at("/v1/items/new lamp", {}).headers // => { location: "/v1/items/new%20lamp" }
 * ```
 */
export const Created = Object.assign(schema, { at })
