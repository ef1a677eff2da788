import { createServer } from "node:http"
// Stock Effect: HttpApi on @effect/platform-node, without Flange.
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Otlp from "effect/observability/Otlp"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import { BareApi, resourceApis } from "./effect/BareApi.ts"
import { host, observed, port, ready, routes, tier } from "./support/Arguments.ts"
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

// Its access log is Effect's own; that of `production` is in the app.
const server = HttpRouter.serve(
  observed ? Layer.merge(app, PrometheusMetrics.layerHttp({ path: "/metrics" })) : app,
  { disableListenLog: true, disableLogger: !observed || tier === "production" }
)

// Effect reads the `OTEL_` variables itself, but for those of the sampler.
const telemetry = Otlp.layerFromConfig().pipe(
  Layer.provide([OtlpSerialization.layerProtobuf, FetchHttpClient.layer])
)

const listening = Layer.effectDiscard(Effect.andThen(HttpServer.HttpServer, Effect.sync(ready)))

NodeRuntime.runMain(
  Layer.launch(
    Layer.provide(Layer.provideMerge(listening, server), [
      NodeHttpServer.layer(createServer, { host, port }),
      Logger.layer([Logger.consoleJson]),
      observed ? telemetry : Layer.empty
    ])
  )
)
