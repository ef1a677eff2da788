import { createServer } from "node:http"
// Stock Effect: HttpApi on @effect/platform-node, without Flange.
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { BareApi, resourceApis } from "./effect/BareApi.ts"
import { host, port, ready, routes, tier } from "./support/Arguments.ts"
import { hello, user } from "./support/Contract.ts"

const bareApi = HttpApi.make("bench").add(BareApi)

const Bare = HttpApiBuilder.group(bareApi, "bare", (handlers) =>
  handlers.handleAll({
    echo: ({ payload }) => Effect.succeed(payload),
    json: () => Effect.succeed(hello),
    user: ({ params, query }) => Effect.succeed(user(params.id, query.verbose))
  })
)

const bare = () => HttpApiBuilder.layer(bareApi).pipe(Layer.provide(Bare))

const bareAndResources = () => {
  const own = resourceApis(routes)
  const api = HttpApi.make("bench").add(BareApi, ...own.map(({ api }) => api))
  const layers = own.map(({ read }, i) =>
    HttpApiBuilder.group(api, `resource${i}` as "resource", (handlers) =>
      handlers.handleAll({ read })
    )
  )
  return HttpApiBuilder.layer(api).pipe(Layer.provide([Bare, ...layers]))
}

const app =
  routes > 0
    ? bareAndResources()
    : tier === "bare"
      ? bare()
      : (await import("./effect/HttpApiProduction.ts")).production

const server = HttpRouter.serve(app, { disableListenLog: true, disableLogger: true })

const listening = Layer.effectDiscard(Effect.andThen(HttpServer.HttpServer, Effect.sync(ready)))

NodeRuntime.runMain(
  Layer.launch(
    Layer.provide(Layer.provideMerge(listening, server), [
      NodeHttpServer.layer(createServer, { host, port }),
      Logger.layer([Logger.consoleJson])
    ])
  )
)
