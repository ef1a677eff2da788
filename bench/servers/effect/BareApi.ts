/** The contract of `bare`, for stock HttpApi and for Flange. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { type Resource, resource, resources } from "../support/Contract.ts"

const Echo = Schema.Struct({
  name: Schema.String.check(Schema.isBetweenLength(1, 100)),
  age: Schema.Int,
  tags: Schema.Array(Schema.String)
})

export class BareApi extends HttpApiGroup.make("bare").add(
  HttpApiEndpoint.post("echo", "/echo", { payload: Echo, success: Echo }),
  HttpApiEndpoint.get("json", "/json", { success: Schema.Struct({ message: Schema.String }) }),
  HttpApiEndpoint.get("user", "/users/:id", {
    params: { id: Schema.Int },
    query: { verbose: Schema.optionalKey(Schema.Boolean) },
    success: Schema.Struct({ id: Schema.Int, name: Schema.String, verbose: Schema.Boolean })
  })
) {}

// How many there are only the command line knows, so all have one name for the compiler.
const resourceApi = ({ field, path }: Resource, i: number) =>
  HttpApiGroup.make(`resource${i}` as "resource").add(
    HttpApiEndpoint.get("read", `${path}/:id` as "/resource/:id", {
      params: { id: Schema.Int },
      success: Schema.Struct({ id: Schema.Int, [field]: Schema.String })
    })
  )

/** The groups of `--routes N`, each with what implements its endpoint. */
export const resourceApis = (routes: number) =>
  resources(routes).map((one, i) => ({
    api: resourceApi(one, i),
    read: ({ params }: { readonly params: { readonly id: number } }) =>
      Effect.succeed(resource(one, params.id))
  }))
