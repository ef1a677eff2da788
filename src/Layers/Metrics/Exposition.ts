/**
 * The metrics as text that Prometheus reads. Effect's own text has no exemplars, and its boundaries
 * (`le="1"`) are not those of OpenMetrics (`le="1.0"`).
 */
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import * as Histogram from "./Histogram.ts"

/** A format of the text. */
export type Format = "openmetrics" | "prometheus"

export const contentTypes = {
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
  prometheus: "text/plain; version=0.0.4; charset=utf-8"
} as const satisfies Record<Format, string>

/** The words that names have for units. */
const units: Readonly<Record<string, string>> = { By: "bytes", ms: "milliseconds", s: "seconds" }

const types = {
  Counter: "counter",
  Frequency: "counter",
  Gauge: "gauge",
  Histogram: "histogram",
  Summary: "summary"
} as const satisfies Record<Metric.Metric.Type, string>

/** Returns the name of a family: of a metric in Prometheus, with its unit and without `total`. */
const familyOf = ({ attributes, id }: Metric.Metric.Snapshot): string => {
  const unit = units[attributes?.["unit"] ?? ""]
  const words = id.replaceAll(/[^A-Za-z0-9_:]+/g, "_").replace(/_(?:total)?$/, "")
  const named = unit === undefined || words.endsWith(`_${unit}`) ? words : `${words}_${unit}`
  return /^[0-9:]/.test(named) ? `_${named}` : named
}

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

/** Returns the labels of a series without their braces. The attribute `unit` is in the name. */
const labelsOf = (attributes: Metric.Metric.AttributeSet | undefined): ReadonlyArray<string> =>
  Object.entries(attributes ?? {})
    .filter(([name]) => name !== "unit" && name !== "time_unit")
    .map(([name, value]) => `${labelOf(name)}=${quoted(value)}`)

const labelOf = (name: string): string =>
  name.replaceAll(/[^A-Za-z0-9_]+/g, "_").replace(/^(?=\d)/, "_")

/** Returns a trace as OpenMetrics has it behind the value of a bucket. */
const exemplarText = ({ spanId, time, traceId, value }: Histogram.Exemplar): string =>
  ` # {trace_id="${traceId}",span_id="${spanId}"} ${value} ${time / 1000}`

/** Returns the lines of one series. */
const samples = (
  family: string,
  metric: Metric.Metric.Snapshot,
  format: Format
): ReadonlyArray<string> => {
  const labels = labelsOf(metric.attributes)
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

/** Returns the text of all metrics in the registry of a context. Reads each of them once. */
export const render = (context: Context.Context<never>, format: Format): string => {
  const families = new Map<string, Array<Metric.Metric.Snapshot>>()
  for (const metric of Metric.snapshotUnsafe(context)) {
    const family = familyOf(metric)
    const others = families.get(family)
    if (others === undefined) families.set(family, [metric])
    else others.push(metric)
  }
  const lines = [...families].flatMap(([family, metrics]) => {
    const type = types[metrics[0]!.type]
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
