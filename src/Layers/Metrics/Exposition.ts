/**
 * The metrics as text that Prometheus reads. Effect's own text has no exemplars, and its boundaries
 * (`le="1"`) are not those of OpenMetrics (`le="1.0"`).
 */
import type * as Metric from "effect/Metric"
import * as Histogram from "./Histogram.ts"
import * as Names from "./Names.ts"

/** A format of the text. */
export type Format = "openmetrics" | "prometheus"

export const contentTypes = {
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
  prometheus: "text/plain; version=0.0.4; charset=utf-8"
} as const satisfies Record<Format, string>

const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")

const quoted = (text: string): string => `"${escaped(text).replaceAll('"', '\\"')}"`

const numberOf = (value: bigint | number): string =>
  value === Infinity ? "+Inf" : value === -Infinity ? "-Inf" : String(value)

/** Returns a boundary as OpenMetrics has it: `1.0`, `1e+06`. */
const boundaryOf = (value: number, format: Format): string => {
  if (format === "prometheus" || !Number.isFinite(value)) return numberOf(value)
  const size = Math.abs(value)
  if (size >= 1e6 || (size > 0 && size < 1e-4)) {
    return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2")
  }
  return Number.isInteger(value) ? `${value}.0` : String(value)
}

/** Returns a trace as OpenMetrics has it behind the value of a bucket. */
const exemplarText = ({ spanId, time, traceId, value }: Histogram.Exemplar): string =>
  ` # {trace_id=${quoted(traceId)},span_id=${quoted(spanId)}} ${value} ${time / 1000}`

/** Returns the lines of one series. */
const samples = (
  family: string,
  metric: Metric.Metric.Snapshot,
  format: Format
): ReadonlyArray<string> => {
  const labels = [...Names.labels(metric)].map(([name, value]) => `${name}=${quoted(value)}`)
  const line = (suffix: string, value: bigint | number, ...more: ReadonlyArray<string>) => {
    const all = [...labels, ...more].join(",")
    return `${family}${suffix}${all === "" ? "" : `{${all}}`} ${numberOf(value)}`
  }
  switch (metric.type) {
    case "Counter":
      return [line("_total", metric.state.count)]
    case "Frequency":
      return [...metric.state.occurrences].map(([key, count]) =>
        line("_total", count, `key=${quoted(key)}`)
      )
    case "Gauge":
      return [line("", metric.state.value)]
    case "Histogram": {
      const { buckets, count, sum } = metric.state
      const exemplars = format === "prometheus" ? [] : Histogram.exemplarsOf(metric.state)
      return [
        ...[...buckets.filter(([le]) => le !== Infinity), [Infinity, count] as const].map(
          ([le, below], i) => {
            const exemplar = exemplars[i]
            const text = line("_bucket", below, `le="${boundaryOf(le, format)}"`)
            return exemplar === undefined ? text : text + exemplarText(exemplar)
          }
        ),
        line("_sum", sum),
        line("_count", count)
      ]
    }
    case "Summary": {
      const { count, quantiles, sum } = metric.state
      return [
        ...quantiles.flatMap(([quantile, value]) =>
          value === undefined ? [] : [line("", value, `quantile="${boundaryOf(quantile, format)}"`)]
        ),
        line("_sum", sum),
        line("_count", count)
      ]
    }
  }
}

/** Returns the format for a header `Accept`. Prometheus asks for OpenMetrics by its name. */
export const formatOf = (accept: string | undefined): Format =>
  accept?.includes("application/openmetrics-text") === true ? "openmetrics" : "prometheus"

/** Returns the text of metrics. */
export const render = (
  snapshots: ReadonlyArray<Metric.Metric.Snapshot>,
  format: Format
): string => {
  const families = Names.families(snapshots)
  const lines = families.flatMap(({ metrics, name: family, type }) => {
    // OpenMetrics names the family of a counter without `total`.
    const name = type === "counter" && format === "prometheus" ? `${family}_total` : family
    const { description } = metrics[0]!
    return [
      ...(description === undefined ? [] : [`# HELP ${name} ${escaped(description)}`]),
      `# TYPE ${name} ${type}`,
      ...metrics.flatMap((metric) => samples(family, metric, format))
    ]
  })
  if (format === "openmetrics") lines.push("# EOF")
  return lines.map((line) => `${line}\n`).join("")
}
