/** The metrics as text that Prometheus reads. */
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"

/** A format of the text. */
export type Format = "openmetrics" | "prometheus"

export const contentTypes = {
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
  prometheus: "text/plain; version=0.0.4; charset=utf-8"
} as const satisfies Record<Format, string>

/** The words that names have for units. */
const units: Readonly<Record<string, string>> = { By: "bytes", ms: "milliseconds", s: "seconds" }

/** Returns the name of a metric in Prometheus: with its unit, and with `total` if it counts. */
const nameOf = ({ attributes, id, type }: Metric.Metric.Snapshot): string => {
  const unit = units[attributes?.["unit"] ?? ""]
  const words = id.replaceAll(/[^A-Za-z0-9_:]+/g, "_").replace(/_(?:total)?$/, "")
  const named = unit === undefined || words.endsWith(`_${unit}`) ? words : `${words}_${unit}`
  return type === "Counter" || type === "Frequency" ? `${named}_total` : named
}

/** Returns the format for a header `Accept`. Prometheus asks for OpenMetrics by its name. */
export const formatOf = (accept: string | undefined): Format =>
  accept?.includes("application/openmetrics-text") === true ? "openmetrics" : "prometheus"

/** Returns the text of all metrics in the registry of a context. */
export const render = (context: Context.Context<never>, format: Format): string => {
  const names = new Map(Metric.snapshotUnsafe(context).map((one) => [one.id, nameOf(one)]))
  const text = PrometheusMetrics.formatUnsafe(context, {
    metricNameMapper: (id) => names.get(id) ?? id
  })
  if (format === "prometheus") return text
  // OpenMetrics names the family of a counter without `total`.
  return `${text.replaceAll(/^(# (?:HELP|TYPE) \S+?)_total(?= )/gm, "$1")}# EOF\n`
}
