// Run: npm run example:hello        Try: curl localhost:8080/hello/Ada
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { App, Plugin, Route } from "flange"

class HelloApi extends HttpApiGroup.make("hello").add(
  HttpApiEndpoint.get("hello", "/hello/:name", {
    params: { name: Schema.String },
    success: Schema.Struct({ message: Schema.String })
  })
) {}

const HelloPlugin = Plugin.make("app:hello", {
  routes: [
    Route.public(HelloApi, (handlers) =>
      handlers.handleAll({
        hello: ({ params }) => Effect.succeed({ message: `Hello, ${params.name}` })
      })
    )
  ]
})

App.run(App.make("hello", [HelloPlugin]))
