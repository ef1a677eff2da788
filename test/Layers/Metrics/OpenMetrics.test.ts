import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Tracer from "effect/Tracer"
import { App, Plugin, Preset } from "flange"
import * as Metrics from "flange/Metrics"
import { TestApp } from "flange/Testing"
import * as Exposition from "../../../src/Layers/Metrics/Exposition.ts"
import { openMetricsParser } from "./tools.ts"

const openMetrics = {
  headers: { accept: "application/openmetrics-text;version=1.0.0,text/plain;q=0.5" }
}

/** An app in which the trace of a request is that of its header, sampled or not. */
const Traced = Plugin.make("test:traced", {
  layer: Layer.succeed(
    Tracer.Tracer,
    Tracer.make({ span: (options) => new Tracer.NativeSpan(options) })
  )
})

const app = App.make("traced", [...Preset.api, Metrics.plugin, Traced])

const traceparent = (trace: string, isSampled: boolean) =>
  `00-${trace}-00f067aa0ba902b7-${isSampled ? "01" : "00"}`

const sampled = "4bf92f3577b34da6a3ce929d0e0e4736"
const unsampled = "5bf92f3577b34da6a3ce929d0e0e4736"

it.effect("a bucket names the trace of a sampled request, in OpenMetrics only", () =>
  Effect.gen(function* () {
    const test = yield* TestApp.make(app)
    yield* test.get("/nowhere", { headers: { traceparent: traceparent(sampled, true) } })
    yield* test.get("/nowhere", { headers: { traceparent: traceparent(unsampled, false) } })
    const { text } = yield* test.get("/metrics", openMetrics)
    const exemplars = text.split("\n").filter((line) => line.includes(" # {"))
    expect(exemplars.map((line) => /^\w+/.exec(line)![0]).sort()).toEqual([
      "http_server_request_duration_seconds_bucket",
      "http_server_response_body_size_bytes_bucket"
    ])
    for (const line of exemplars) {
      expect(line).toMatch(
        new RegExp(` 2 # \\{trace_id="${sampled}",span_id="[0-9a-f]{16}"\\} \\S+ \\S+$`)
      )
    }
    expect((yield* test.get("/metrics")).text).not.toContain(sampled)
  })
)

it.effect.skipIf(openMetricsParser.missing !== undefined)(
  "the parser of prometheus_client accepts the text, with exemplars",
  () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app)
      yield* test.get("/nowhere", { headers: { traceparent: traceparent(sampled, true) } })
      const { text } = yield* test.get("/metrics", openMetrics)
      expect(text).toContain("trace_id=")
      openMetricsParser.check(text)
    })
)

/** The text of metrics that are updated in a registry of their own. */
const textOf = (format: Exposition.Format, update: (context: Context.Context<never>) => void) => {
  const context = Context.make(Metric.MetricRegistry, new Map())
  update(context)
  return Exposition.render(Metric.snapshotUnsafe(context), format)
}

const everyKind = (context: Context.Context<never>) => {
  Metric.counter("plain", { description: 'A "quoted" \\ text\nof two lines' }).updateUnsafe(
    3,
    context
  )
  Metric.counter("big.bytes", { attributes: { unit: "By" }, bigint: true }).updateUnsafe(
    2n ** 60n,
    context
  )
  Metric.gauge("7.th/gauge", { attributes: { "a.b": 'x"y\\z\n' } }).updateUnsafe(-1.5, context)
  Metric.frequency("words").updateUnsafe("hello", context)
  Metric.histogram("sizes", { boundaries: [0.00001, 0.5, 1, 1_000_000, Infinity] }).updateUnsafe(
    2,
    context
  )
  Metric.summary("quantiles", {
    maxAge: "1 minute",
    maxSize: 10,
    quantiles: [0.5, 1]
  }).updateUnsafe(4, context)
}

it("every kind of metric has a form in the text of Prometheus", () => {
  expect(textOf("prometheus", everyKind).split("\n")).toEqual([
    '# HELP plain_total A "quoted" \\\\ text\\nof two lines',
    "# TYPE plain_total counter",
    "plain_total 3",
    "# TYPE big_bytes_total counter",
    "big_bytes_total 1152921504606846976",
    "# TYPE _7_th_gauge gauge",
    '_7_th_gauge{a_b="x\\"y\\\\z\\n"} -1.5',
    "# TYPE words_total counter",
    'words_total{key="hello"} 1',
    "# TYPE sizes histogram",
    'sizes_bucket{le="0.00001"} 0',
    'sizes_bucket{le="0.5"} 0',
    'sizes_bucket{le="1"} 0',
    'sizes_bucket{le="1000000"} 1',
    'sizes_bucket{le="+Inf"} 1',
    "sizes_sum 2",
    "sizes_count 1",
    "# TYPE quantiles summary",
    'quantiles{quantile="0.5"} 4',
    'quantiles{quantile="1"} 4',
    "quantiles_sum 4",
    "quantiles_count 1",
    ""
  ])
})

it("OpenMetrics writes boundaries as canonical numbers and ends with EOF", () => {
  const text = textOf("openmetrics", everyKind)
  expect([...text.matchAll(/(?:le|quantile)="(.*?)"/g)].map(([, value]) => value)).toEqual([
    "1e-05",
    "0.5",
    "1.0",
    "1e+06",
    "+Inf",
    "0.5",
    "1.0"
  ])
  expect(text).toContain("# TYPE plain counter\nplain_total 3\n")
  expect(text.endsWith("\n# EOF\n")).toBe(true)
  if (openMetricsParser.missing === undefined) openMetricsParser.check(text)
})
