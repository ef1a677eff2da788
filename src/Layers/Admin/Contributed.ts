/** The routes that plugins contribute to the admin port, and the paths that nothing takes. */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import { AdminPathNotFound } from "../../Contract/AdminErrors.ts"
import { RouteNotFound } from "../../Contract/Catalogue.ts"
import * as AdminRoute from "../../Plugin/AdminRoute.ts"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import { CurrentExchange } from "../../Server/Exchange/Exchange.ts"
import * as Issues from "../../Server/Exchange/Issues.ts"
import * as Middleware from "../../Server/Route/Middleware.ts"
import * as Answers from "./Answers.ts"

/** The layer of the contributed routes. The port builds it after every plugin is acquired. */
export const layer = HttpRouter.use(
  Effect.fnUntraced(function* (router) {
    const { contributions } = yield* AppRuntime
    for (const { data, value } of contributions(AdminRoute.kind)) {
      yield* router.add(
        data.method,
        data.path,
        // A request that is served has an exchange, which answers its failure.
        Effect.catchIf(value, Schema.isSchemaError, ({ issue }) =>
          Effect.fail(Issues.invalid(Issues.fromSchema("Payload", issue)))
        ) as Effect.Effect<HttpServerResponse.HttpServerResponse>
      )
    }
  })
)

/** Middleware that answers an unknown path with the paths that there are. */
export const unknown = Middleware.make("admin-unknown", {
  build: Effect.map(AppRuntime, (runtime) => ({ path }) => {
    if (path !== "*") return undefined
    return (next) =>
      Effect.flatMap(CurrentExchange, ({ match }) =>
        match.refusal instanceof RouteNotFound
          ? HttpServerRespondable.toResponse(
              new AdminPathNotFound({
                paths: Answers.routesOf(runtime).map((route) => `${route.method} ${route.path}`)
              })
            )
          : next
      ) as Middleware.Next
  }),
  slot: "Custom"
})
