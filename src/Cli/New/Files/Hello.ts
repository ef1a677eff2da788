/** The endpoint of the template `minimal`: its contract, its plugin and its test. */
import type { Files } from "../Project.ts"

export const files = (): Files => ({
  "src/hello/HelloApi.ts": `/** The contract of the greeting: no server code, so that a browser can import it. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"

export class HelloApi extends HttpApiGroup.make("hello").add(
  HttpApiEndpoint.get("greet", "/v1/hello/:name", {
    params: { name: Schema.String.check(Schema.isBetweenLength(1, 40)) },
    success: Schema.Struct({ message: Schema.String })
  })
) {}
`,
  "src/hello/HelloPlugin.ts": `/** The plugin of the greeting, which everybody may call. */
import * as Effect from "effect/Effect"
import { Plugin, Route } from "flange"
import { HelloApi } from "./HelloApi.ts"

export const HelloPlugin = Plugin.make("app:hello", {
  routes: [
    Route.public(HelloApi, (handlers) =>
      handlers.handleAll({
        greet: ({ params }) => Effect.succeed({ message: \`Hello, \${params.name}\` })
      })
    )
  ]
})
`,
  "test/hello.test.ts": `import { layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestApp } from "flange/Testing"
import { app } from "../src/app.ts"

layer(TestApp.layer(app))("hello", (it) => {
  it.effect("greets by name", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      const reply = yield* api.get("/v1/hello/Ada")
      reply.expectStatus(200).expectJson({ message: "Hello, Ada" })
      api.expectNoErrors()
    })
  )

  it.effect("refuses a name that is too long", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.service(app)
      const reply = yield* api.get(\`/v1/hello/\${"a".repeat(41)}\`)
      reply.expectProblem("VALIDATION_FAILED", 400, {
        errors: [{ location: "path", pointer: "/name" }]
      })
    })
  )
})
`
})
