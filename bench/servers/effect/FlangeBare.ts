import * as Effect from "effect/Effect"
import { App, Plugin, Route } from "../../../src/index.ts"
import * as Logging from "../../../src/Layers/Logging/index.ts"
import { accessLog, routes } from "../support/Arguments.ts"
import { hello, user } from "../support/Contract.ts"
import { BareApi, resourceHandlers, resourcesApi } from "./BareApi.ts"
import { Ready, server } from "./FlangeHost.ts"

// The peers of this tier have neither a request id nor a log; `accesslog.ts` asks for both.
const open = accessLog === "on" ? Route.public : Route.bare

const Bare = Plugin.make("bench:bare", {
  routes: [
    open(BareApi, (handlers) =>
      handlers.handleAll({
        echo: ({ payload }) => Effect.succeed(payload),
        json: () => Effect.succeed(hello),
        user: ({ params, query }) => Effect.succeed(user(params.id, query.verbose))
      })
    )
  ]
})

const resources = () =>
  Plugin.make("bench:resources", {
    routes: [open(resourcesApi(routes), (handlers) => handlers.handleAll(resourceHandlers(routes)))]
  })

/** `bare` has no access log, as with the peers; `accesslog.ts` asks for one. */
export const bare = App.make(
  "bench",
  [
    Bare,
    Ready,
    ...(accessLog === "on" ? [Logging.plugin] : []),
    ...(routes > 0 ? [resources()] : [])
  ],
  { config: { environment: "production", values: { server } } }
)
