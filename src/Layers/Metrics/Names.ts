/**
 * The names of metrics and labels in Prometheus. It refuses the whole text for one name that is not
 * allowed, or that two metrics or labels have.
 *
 * Source: OpenTelemetry, "Prometheus and OpenMetrics Compatibility".
 */
import type * as Metric from "effect/Metric"

/** The types of families. */
export const types = {
  Counter: "counter",
  Frequency: "counter",
  Gauge: "gauge",
  Histogram: "histogram",
  Summary: "summary"
} as const satisfies Record<Metric.Metric.Type, string>

type Type = (typeof types)[Metric.Metric.Type]

/** The suffixes of the names that a family takes. */
const suffixes: Readonly<Record<Type, ReadonlyArray<string>>> = {
  counter: ["", "_total"],
  gauge: [""],
  histogram: ["", "_bucket", "_count", "_sum"],
  summary: ["", "_count", "_sum"]
}

/** The words that names have for units. */
const units: Readonly<Record<string, string>> = { By: "bytes", ms: "milliseconds", s: "seconds" }

/** Returns the name of a metric, with its unit and without `total`. */
const nameOf = ({ attributes, id }: Metric.Metric.Snapshot): string => {
  const unit = units[attributes?.["unit"] ?? ""]
  const words = id.replaceAll(/[^A-Za-z0-9_:]+/g, "_").replace(/_(?:total)?$/, "")
  const named = unit === undefined || words.endsWith(`_${unit}`) ? words : `${words}_${unit}`
  return /^(?![A-Za-z_:])/.test(named) || named.startsWith(":") ? `_${named}` : named
}

/** Metrics with one name and one type. */
export interface Family {
  readonly metrics: Array<Metric.Metric.Snapshot>
  readonly name: string
  readonly type: Type
}

/** Returns the families of metrics. If a name is taken, the name of the later family ends in its type. */
export const families = (metrics: ReadonlyArray<Metric.Metric.Snapshot>): ReadonlyArray<Family> => {
  const found = new Map<string, Family>()
  const taken = new Set<string>()
  for (const metric of metrics) {
    const type = types[metric.type]
    const wanted = nameOf(metric)
    const key = `${type} ${wanted}`
    const family = found.get(key)
    if (family === undefined) {
      const namesOf = (name: string) => suffixes[type].map((suffix) => name + suffix)
      let name = wanted
      while (namesOf(name).some((one) => taken.has(one))) name += `_${type}`
      for (const one of namesOf(name)) taken.add(one)
      found.set(key, { metrics: [metric], name, type })
    } else family.metrics.push(metric)
  }
  return [...found.values()]
}

/** The labels that the types have themselves. */
const own = {
  Counter: undefined,
  Frequency: "key",
  Gauge: undefined,
  Histogram: "le",
  Summary: "quantile"
} as const satisfies Record<Metric.Metric.Type, string | undefined>

const labelOf = (attribute: string, type: Metric.Metric.Type): string => {
  // Two underscores before a name are Prometheus' own.
  const name = attribute.replaceAll(/[^A-Za-z0-9_]+/g, "_").replace(/^(?:__+|(?=\d)|$)/, "_")
  return name === own[type] ? `exported_${name}` : name
}

/**
 * Returns the labels of a series. The attribute `unit` is in the name of the metric. Values whose
 * attributes have the same label are joined.
 */
export const labels = ({
  attributes = {},
  type
}: Metric.Metric.Snapshot): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  for (const [attribute, value] of Object.entries(attributes)) {
    if (attribute === "unit" || attribute === "time_unit") continue
    const label = labelOf(attribute, type)
    const other = found.get(label)
    found.set(label, other === undefined ? String(value) : `${other};${value}`)
  }
  return found
}
