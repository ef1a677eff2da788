// One endpoint for each way of reading a body, and one whose reply is large.
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { App, Plugin, Route } from "flange"
import { Ready, server } from "./effect/FlangeHost.ts"

interface Tree {
  readonly children: ReadonlyArray<Tree>
}

const Tree = Schema.Struct({
  children: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree))
})

const Accepted = Schema.Struct({ accepted: Schema.Boolean })

const Order = Schema.Struct({
  name: Schema.String,
  tags: Schema.Array(Schema.String),
  x: Schema.optionalKey(Schema.Array(Schema.Int))
})

class HostileApi extends HttpApiGroup.make("hostile").add(
  HttpApiEndpoint.post("any", "/any", { payload: Schema.Json, success: Accepted }),
  HttpApiEndpoint.post("form", "/form", {
    payload: Schema.Struct({ name: Schema.String }).pipe(HttpApiSchema.asFormUrlEncoded()),
    success: Accepted
  }),
  HttpApiEndpoint.get("large", "/large", { success: Schema.String }),
  HttpApiEndpoint.post("order", "/order", { payload: Order, success: Accepted }),
  HttpApiEndpoint.get("read", "/read/:id", {
    params: { id: Schema.String },
    query: { q: Schema.optionalKey(Schema.Array(Schema.String)) },
    success: Accepted
  }),
  HttpApiEndpoint.post("text", "/text", {
    payload: Schema.String.pipe(HttpApiSchema.asText()),
    success: Accepted
  }),
  HttpApiEndpoint.post("tree", "/tree", { payload: Tree, success: Accepted })
) {}

const large = "0123456789".repeat(5_000)

const accepted = () => Effect.succeed({ accepted: true })

const Hostile = Plugin.make("bench:hostile", {
  routes: [
    Route.public(HostileApi, (handlers) =>
      handlers.handleAll({
        any: accepted,
        form: accepted,
        large: () => Effect.succeed(large),
        order: accepted,
        read: accepted,
        text: accepted,
        tree: accepted
      })
    )
  ]
})

App.run(
  App.make("bench", [Hostile, Ready], {
    config: { environment: "production", values: { server } }
  })
)
