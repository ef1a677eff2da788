/** The battery as a plugin. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Redacted from "effect/Redacted"
import { Unauthenticated } from "../../Contract/Catalogue.ts"
import * as AdminRoute from "../../Plugin/AdminRoute.ts"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import * as Role from "../../Plugin/Role.ts"
import { CurrentWorker } from "../../Plugin/Worker.ts"
import * as BearerToken from "../../Server/Exchange/BearerToken.ts"
import { OpenExchanges } from "../../Server/Exchange/Serving.ts"
import * as Route from "../../Server/Route/Route.ts"
import * as Exposition from "./Exposition.ts"
import * as HttpMetrics from "./HttpMetrics.ts"
import { MetricsConfig } from "./MetricsConfig.ts"
import * as ProcessMetrics from "./ProcessMetrics.ts"
import { Registry } from "./Registry.ts"

const unauthenticated = Effect.map(
  HttpServerRespondable.toResponse(new Unauthenticated()),
  HttpServerResponse.setHeader("www-authenticate", 'Bearer realm="metrics"')
)

/** The metrics in the format that the request asks for. */
const reply = Effect.gen(function* () {
  const { headers } = yield* HttpServerRequest.HttpServerRequest
  const format = Exposition.formatOf(headers["accept"])
  const worker = yield* CurrentWorker
  const metrics = yield* worker?.metrics ?? Metric.snapshot
  return HttpServerResponse.text(Exposition.render(metrics, format), {
    contentType: Exposition.contentTypes[format],
    headers: { "cache-control": "no-store" }
  })
})

const adminRoute = AdminRoute.make(
  "metrics",
  {
    description: "Metrics for Prometheus, as text or as OpenMetrics",
    method: "GET",
    path: "/metrics"
  },
  reply
)

const routes = HttpRouter.use(
  Effect.fnUntraced(function* (router) {
    const { environment } = yield* AppRuntime
    const { access, path, token } = yield* MetricsConfig
    const isOpen = access === "public" || (access === undefined && environment !== "production")
    if (access === "off" || (token === undefined && !isOpen)) return
    const secret = access === "public" || token === undefined ? undefined : Redacted.value(token)
    yield* router.add(
      "GET",
      // The section's schema has checked that it begins with a slash.
      path as `/${string}`,
      Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers }) =>
        secret !== undefined && !BearerToken.matches(headers["authorization"], secret)
          ? unauthenticated
          : reply
      )
    )
  })
)

/**
 * Measures requests and the process, and serves the metrics to Prometheus at `/metrics`, as text or as
 * OpenMetrics. In the environment `production` it serves them only with `metrics.token`, or with
 * `metrics.access = "public"`. The admin port, if the app has one, serves them as well.
 *
 * The names are those of the OpenTelemetry conventions, such as `http_server_request_duration_seconds`,
 * with the attributes method, route, status and, for a status of 500 or more, the error's code. Requests
 * to unknown paths are one series for each status. The metrics of your own code are served too: update
 * one of `effect/Metric` in a handler or a plugin.
 *
 * With `server.workers` each worker serves the metrics of all: counters and histograms are their sums, and
 * gauges have the attribute `flange.worker`.
 *
 * The registry keeps `metrics.maxSeries` series of each metric and warns when it keeps no more.
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Metrics from "flange/Metrics"
 *
 * const web = App.toWebHandler(App.make("shop", [Metrics.plugin]))
 * const text = await (await web.handler(new Request("http://app/metrics"))).text()
 * text.includes("# TYPE process_cpu_time_seconds_total counter") // => true
 * await web.dispose()
 * ```
 */
export const plugin = Plugin.make("flange:metrics", {
  config: [MetricsConfig],
  contributes: [adminRoute],
  layer: Layer.effectContext(
    Effect.gen(function* () {
      const { fibers, maxSeries } = yield* MetricsConfig
      const warn = Effect.runForkWith(yield* Effect.context<never>())
      const registry = new Registry(maxSeries, (metric) =>
        warn(
          Effect.logWarning(
            `The metric ${metric} has ${maxSeries} series, and no further ones are kept. Give its attributes fewer values, or raise metrics.maxSeries.`
          )
        )
      )
      const open = OpenExchanges.make()
      const services = Context.make(Metric.MetricRegistry, registry).pipe(
        Context.add(OpenExchanges, open)
      )
      yield* ProcessMetrics.register(services)
      const worker = yield* CurrentWorker
      worker?.offerMetrics(() => Metric.snapshotUnsafe(services))
      return fibers
        ? Context.add(services, Metric.FiberRuntimeMetrics, Metric.FiberRuntimeMetricsImpl)
        : services
    })
  ),
  middleware: [HttpMetrics.requests],
  // Plugins register their metrics as they are acquired.
  order: { first: true },
  provides: [OpenExchanges],
  routes: [Role.assign(Route.raw("metrics", routes, { access: "bare" }), "all")]
})
