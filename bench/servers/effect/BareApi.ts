/** The contract of `bare`, for stock HttpApi and for Flange. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { resources } from "../support/Contract.ts"

const Echo = Schema.Struct({
  name: Schema.String.check(Schema.isBetweenLength(1, 100)),
  age: Schema.Int,
  tags: Schema.Array(Schema.String)
})

export class BareApi extends HttpApiGroup.make("bare").add(
  HttpApiEndpoint.get("json", "/json", { success: Schema.Struct({ message: Schema.String }) }),
  HttpApiEndpoint.get("user", "/users/:id", {
    params: { id: Schema.Int },
    query: { verbose: Schema.optionalKey(Schema.Boolean) },
    success: Schema.Struct({ id: Schema.Int, name: Schema.String, verbose: Schema.Boolean })
  }),
  HttpApiEndpoint.post("echo", "/echo", { payload: Echo, success: Echo })
) {}

/** The extra routes of `--routes N`, one group per resource. */
export const resourceApis = (routes: number) =>
  resources(routes).map((path, i) => ({
    group: HttpApiGroup.make(`resource${i}`).add(
      HttpApiEndpoint.get("list", path as `/${string}`, {
        success: Schema.Struct({ path: Schema.String })
      }),
      HttpApiEndpoint.get("read", `${path as `/${string}`}/:id`, {
        params: { id: Schema.String },
        success: Schema.Struct({ id: Schema.String })
      })
    ),
    path
  }))
