/** One metric with an odd name must not cost the others: Prometheus refuses the whole text. */
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import { describe, expect, it } from "vitest"
import * as Exposition from "../../../src/Layers/Metrics/Exposition.ts"
import { openMetricsParser, promtool } from "./tools.ts"

const render = (
  build: (context: Context.Context<never>) => void,
  format: Exposition.Format = "prometheus"
) => {
  const context = Context.make(Metric.MetricRegistry, new Map())
  build(context)
  return Exposition.render(Metric.snapshotUnsafe(context), format)
}

const cases: ReadonlyArray<
  readonly [name: string, build: (context: Context.Context<never>) => void, text: string]
> = [
  [
    "a name without letters of ASCII is an underscore",
    (context) => {
      Metric.gauge("度数").updateUnsafe(1, context)
      Metric.gauge("").updateUnsafe(2, context)
    },
    "# TYPE _ gauge\n_ 1\n_ 2\n"
  ],
  [
    "an attribute without a name is an underscore",
    (context) => Metric.gauge("g", { attributes: { "": "x", ü: "y" } }).updateUnsafe(1, context),
    '# TYPE g gauge\ng{_="x;y"} 1\n'
  ],
  [
    "attributes with one label are joined",
    (context) =>
      Metric.gauge("g", { attributes: { "a.b": "x", a_b: "y" } }).updateUnsafe(1, context),
    '# TYPE g gauge\ng{a_b="x;y"} 1\n'
  ],
  [
    "an attribute with the name of a reserved label has another one",
    (context) => {
      Metric.gauge("g", { attributes: { __name__: "x", le: "y" } }).updateUnsafe(1, context)
      const options = { attributes: { le: "x" }, boundaries: [1] }
      Metric.histogram("h", options).updateUnsafe(1, context)
      Metric.frequency("f", { attributes: { key: "x" } }).updateUnsafe("y", context)
    },
    `# TYPE g gauge
g{_name__="x",le="y"} 1
# TYPE h histogram
h_bucket{exported_le="x",le="1"} 1
h_bucket{exported_le="x",le="+Inf"} 1
h_sum{exported_le="x"} 1
h_count{exported_le="x"} 1
# TYPE f_total counter
f_total{exported_key="x",key="y"} 1
`
  ],
  [
    "a name that a metric of another type has ends in its type",
    (context) => {
      Metric.histogram("h", { boundaries: [1] }).updateUnsafe(1, context)
      Metric.gauge("h.count").updateUnsafe(2, context)
      Metric.counter("a.b").updateUnsafe(3, context)
      Metric.gauge("a_b").updateUnsafe(4, context)
    },
    `# TYPE h histogram
h_bucket{le="1"} 1
h_bucket{le="+Inf"} 1
h_sum 1
h_count 1
# TYPE h_count_gauge gauge
h_count_gauge 2
# TYPE a_b_total counter
a_b_total 3
# TYPE a_b_gauge gauge
a_b_gauge 4
`
  ],
  [
    "an attribute that is no text is written as one",
    (context) => {
      const attributes = { code: 5 } as unknown as Record<string, string>
      Metric.gauge("g", { attributes }).updateUnsafe(1, context)
    },
    '# TYPE g gauge\ng{code="5"} 1\n'
  ]
]

it.each(cases)("%s", (_name, build, text) => {
  expect(render(build)).toBe(text)
})

describe.skipIf(promtool.missing !== undefined)("promtool", () => {
  it.each(cases)("reads it where %s", (_name, build) => {
    // The lint may complain of a missing description, and does not fail to read.
    expect(() => promtool.check(render(build))).not.toThrow(/text format parsing error/)
  })
})

describe.skipIf(openMetricsParser.missing !== undefined)("prometheus_client", () => {
  it.each(cases.slice(1))("reads it where %s", (_name, build) => {
    openMetricsParser.check(render(build, "openmetrics"))
  })
})
