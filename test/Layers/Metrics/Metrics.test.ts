import { getHeapSpaceStatistics } from "node:v8"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Metric from "effect/Metric"
import * as Schema from "effect/Schema"
import { AdminRoute, ApiError, App, AppRuntime, Plugin, Preset, Route } from "flange"
import * as Metrics from "flange/Metrics"
import { TestApp } from "flange/Testing"
import { describe } from "vitest"
import { promtool } from "./tools.ts"

class NoLamp extends ApiError.make<NoLamp>()("NoLamp", {
  code: "NO_LAMP",
  detail: "There is no lamp",
  status: 503
}) {}

class LampsApi extends HttpApiGroup.make("lamps").add(
  HttpApiEndpoint.get("read", "/lamps/:id", {
    error: NoLamp,
    params: { id: Schema.String },
    success: Schema.String
  })
) {}

const reads = Metric.counter("lamps.read", { description: "Lamps that were read" })

const Lamps = Plugin.make("test:lamps", {
  routes: [
    Route.public(LampsApi, (handlers) =>
      handlers.handleAll({
        read: Effect.fnUntraced(function* ({ params: { id } }) {
          if (id === "none") return yield* new NoLamp()
          if (id === "broken") return yield* Effect.die("broken")
          yield* Metric.update(Metric.withAttributes(reads, { id }), 1)
          return id
        })
      })
    )
  ]
})

const app = App.make("lamps", [...Preset.api, Metrics.plugin, Lamps])

/** The lines of the metrics that begin with a name, without those of buckets. */
const linesOf = (text: string, name: string) =>
  text.split("\n").filter((line) => line.startsWith(name) && !line.includes("_bucket"))

const counts = (text: string) => linesOf(text, "http_server_request_duration_seconds_count").sort()

it.effect("requests are counted by method, route, status and code", () =>
  Effect.gen(function* () {
    const test = yield* TestApp.make(app)
    for (const id of ["1", "2", "none", "broken"]) yield* test.get(`/lamps/${id}`)
    yield* test.head("/lamps/1")
    yield* test.get("/livez")
    const { text } = yield* test.get("/metrics")
    const labels = (method: string, status: number, rest: string) =>
      `http_server_request_duration_seconds_count{http_request_method="${method}",http_route="/lamps/:id",http_response_status_code="${status}"${rest}}`
    expect(counts(text)).toEqual([
      `${labels("GET", 200, "")} 2`,
      `${labels("GET", 500, ',error_type="INTERNAL_ERROR"')} 1`,
      `${labels("GET", 503, ',error_type="NO_LAMP"')} 1`,
      `${labels("HEAD", 200, "")} 1`
    ])
  })
)

it.effect("unknown paths and methods are one series for each status", () =>
  Effect.gen(function* () {
    const test = yield* TestApp.make(app)
    for (let i = 0; i < 50; i++) yield* test.get(`/nowhere/${i}`)
    for (const method of ["PROPFIND", "PURGE"]) yield* test.request(method, "/nowhere")
    const { text } = yield* test.get("/metrics")
    expect(counts(text)).toEqual([
      'http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="404"} 50',
      'http_server_request_duration_seconds_count{http_request_method="_OTHER",http_response_status_code="404"} 2'
    ])
  })
)

it.effect("a metric keeps no more series than allowed, and one warning names it", () =>
  Effect.gen(function* () {
    const test = yield* TestApp.make(app, { config: { metrics: { maxSeries: 20 } } })
    for (let i = 0; i < 40; i++) yield* test.get(`/lamps/${i}`)
    const { text } = yield* test.get("/metrics")
    expect(linesOf(text, "lamps_read_total{")).toHaveLength(20)
    expect(counts(text)).toHaveLength(1)
    const warnings = test.logs.filter(({ level }) => level === "Warn")
    expect(warnings.map(({ message }) => message)).toEqual([
      "The metric lamps.read has 20 series, and no further ones are kept. Give its attributes fewer values, or raise metrics.maxSeries."
    ])
  })
)

it.effect("apps in one process have metrics of their own", () =>
  Effect.gen(function* () {
    const first = yield* TestApp.make(app)
    const second = yield* TestApp.make(app)
    yield* first.get("/lamps/1")
    expect(counts((yield* second.get("/metrics")).text)).toEqual([])
    expect(counts((yield* first.get("/metrics")).text)).toHaveLength(1)
  })
)

it.effect("fibers are counted if the configuration says so", () =>
  Effect.gen(function* () {
    const without = yield* TestApp.make(app)
    expect((yield* without.get("/metrics")).text).not.toContain("fiber")
    const test = yield* TestApp.make(app, { config: { metrics: { fibers: true } } })
    yield* test.get("/lamps/1")
    expect((yield* test.get("/metrics")).text).toMatch(/^child_fibers_\w+ \d+$/m)
  })
)

describe("who may read the metrics", () => {
  const token = "token-of-the-tests"
  const status = (config: object, environment: string, headers: Record<string, string> = {}) =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app, { config: { metrics: config }, environment })
      return (yield* test.get("/metrics", { headers })).status
    }).pipe(Effect.scoped)

  it.effect("everybody, but nobody in production", () =>
    Effect.gen(function* () {
      expect(yield* status({}, "test")).toBe(200)
      expect(yield* status({}, "production")).toBe(404)
      expect(yield* status({ access: "public" }, "production")).toBe(200)
      expect(yield* status({ access: "off" }, "test")).toBe(404)
    })
  )

  it.effect("who has the token, if there is one", () =>
    Effect.gen(function* () {
      for (const environment of ["production", "test"]) {
        expect(yield* status({ token }, environment)).toBe(401)
        for (const sent of [
          "Bearer",
          "Bearer wrong",
          `Basic ${token}`,
          `Bearer ${token}x`,
          token
        ]) {
          expect(yield* status({ token }, environment, { authorization: sent }), sent).toBe(401)
        }
        const headers = { authorization: `Bearer ${token}` }
        expect(yield* status({ token }, environment, headers)).toBe(200)
      }
    })
  )

  it.effect("who reads the admin port, also if nobody else may", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app, { config: { metrics: { access: "off" } } })
      const { contributions } = yield* test.run(AppRuntime)
      const { data, value } = contributions(AdminRoute.kind).find(({ name }) => name === "metrics")!
      expect(data).toMatchObject({ changes: false, method: "GET", path: "/metrics" })
      const request = new Request("http://admin/metrics", {
        headers: { accept: "application/openmetrics-text" }
      })
      const response = yield* value.pipe(
        Effect.provideService(
          HttpServerRequest.HttpServerRequest,
          HttpServerRequest.fromWeb(request)
        ),
        Effect.provideService(HttpRouter.RouteContext, { params: {}, route: {} as never }),
        Effect.provideService(HttpServerRequest.ParsedSearchParams, {})
      )
      const { headers } = HttpServerResponse.toWeb(response)
      expect(headers.get("content-type")).toContain("application/openmetrics-text")
    })
  )

  it.effect("a token that is missing is refused at boot", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        Effect.scoped(TestApp.make(app, { config: { metrics: { access: "token" } } }))
      )
      expect(String(error)).toContain(
        'metrics.token is missing (metrics.access is "token"): set the variable METRICS_TOKEN'
      )
    })
  )
})

it.effect.skipIf(promtool.missing !== undefined)("promtool accepts the names and the text", () =>
  Effect.gen(function* () {
    const test = yield* TestApp.make(app)
    yield* test.get("/lamps/1")
    const { headers, text } = yield* test.get("/metrics")
    expect(headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8")
    promtool.check(text)
  })
)

it.effect("OpenMetrics has the families of counters and an end", () =>
  Effect.gen(function* () {
    const test = yield* TestApp.make(app)
    yield* test.get("/lamps/1")
    const { headers, text } = yield* test.get("/metrics", {
      headers: { accept: "application/openmetrics-text;version=1.0.0,text/plain;q=0.5" }
    })
    expect(headers.get("content-type")).toContain("application/openmetrics-text; version=1.0.0")
    expect(text).toContain("# TYPE lamps_read counter\nlamps_read_total")
    expect(text.endsWith("\n# EOF\n")).toBe(true)
  })
)

it.effect("the heap has the spaces of V8, and one on Bun", () =>
  Effect.gen(function* () {
    const { run } = yield* TestApp.make(App.make("lamps", [Metrics.plugin]))
    const all = yield* run(Metric.snapshot)
    const used = all.filter(({ id }) => id === "v8js.memory.heap.used")
    const names = used.map(({ attributes }) => attributes?.["v8js.heap.space.name"])
    expect(names).toEqual(
      "Bun" in globalThis
        ? ["old_space"]
        : getHeapSpaceStatistics().map(({ space_name: name }) => name)
    )
  })
)
