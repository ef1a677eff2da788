/** A metric as a record of OTLP. */
import type * as Metric from "effect/Metric"
import { type Sink, unbounded } from "./Sink.ts"
import * as Values from "./Values.ts"

/** All series of one metric, at one time. */
export interface MetricRecord {
  readonly id: string
  /** Unix nanoseconds since when the series count, and when they were read. */
  readonly interval: readonly [from: bigint, to: bigint]
  readonly series: ReadonlyArray<Metric.Metric.Snapshot>
}

const cumulative = 2

/** The units of UCUM for the words that Effect's own metrics have. */
const units: Readonly<Record<string, string>> = {
  bytes: "By",
  microseconds: "us",
  milliseconds: "ms",
  nanoseconds: "ns",
  seconds: "s"
}

/** Attributes of a series that are the unit of the metric. */
const unitNames: ReadonlySet<string> = new Set(["time_unit", "unit"])

/** Returns the metrics of a snapshot, each with all of its series of one type. */
export const ofSnapshot = (
  snapshot: ReadonlyArray<Metric.Metric.Snapshot>,
  interval: MetricRecord["interval"]
): ReadonlyArray<MetricRecord> =>
  [...Map.groupBy(snapshot, ({ id, type }) => `${type} ${id}`).values()].map((series) => ({
    id: series[0]!.id,
    interval,
    series
  }))

/** Writes a metric and returns the number of its points. */
export const write = (sink: Sink, record: MetricRecord): number => {
  const { id, series } = record
  const { attributes = {}, description, type } = series[0]!
  const unit = attributes["unit"] ?? attributes["time_unit"]
  const mark = sink.item(2, unbounded)
  sink.text(1, "name", id)
  if (description !== undefined) sink.text(2, "description", description)
  if (unit !== undefined) sink.text(3, "unit", units[unit] ?? unit)
  const points = writeData(sink, type, record)
  sink.close(mark)
  return points
}

const kinds = {
  Counter: [7, "sum"],
  Frequency: [7, "sum"],
  Gauge: [5, "gauge"],
  Histogram: [9, "histogram"],
  Summary: [11, "summary"]
} as const satisfies Record<Metric.Metric.Type, readonly [number, string]>

const writeData = (
  sink: Sink,
  type: Metric.Metric.Type,
  { interval, series }: MetricRecord
): number => {
  let points = 0
  const [field, name] = kinds[type]
  const data = sink.open(field, name, unbounded)
  sink.openList("dataPoints")
  for (const one of series) points += writePoints(sink, one, interval)
  sink.closeList()
  if (type !== "Gauge" && type !== "Summary") sink.uint32(2, "aggregationTemporality", cumulative)
  if (type === "Counter" || type === "Frequency") {
    sink.bool(3, "isMonotonic", series.every(isMonotonic))
  }
  sink.close(data)
  return points
}

const isMonotonic = (one: Metric.Metric.Snapshot): boolean =>
  one.type !== "Counter" || one.state.incremental

/** Writes the points of a series and returns how many there are. */
const writePoints = (
  sink: Sink,
  one: Metric.Metric.Snapshot,
  interval: MetricRecord["interval"]
): number => {
  switch (one.type) {
    case "Counter":
      return writeNumber(sink, one, interval, one.state.count)
    case "Frequency":
      for (const [key, count] of one.state.occurrences) {
        writeNumber(sink, one, interval, count, ["key", key])
      }
      return one.state.occurrences.size
    case "Gauge":
      return writeNumber(sink, one, interval, one.state.value)
    case "Histogram":
      return writeHistogram(sink, one, one.state, interval)
    case "Summary":
      return writeSummary(sink, one, one.state, interval)
  }
}

type Series = Pick<Metric.Metric.Snapshot, "attributes">

const attributesOf = ({ attributes = {} }: Series): Array<unknown> =>
  Object.entries(attributes)
    .filter(([name]) => !unitNames.has(name))
    .flat()

/** Begins a point. Its attributes are the field of this number. */
const openPoint = (
  sink: Sink,
  field: number,
  attributes: ReadonlyArray<unknown>,
  [from, to]: MetricRecord["interval"]
): number => {
  const mark = sink.item(1, unbounded)
  sink.fixed64(2, "startTimeUnixNano", from)
  sink.fixed64(3, "timeUnixNano", to)
  Values.attributes(sink, field, attributes, Infinity)
  return mark
}

const writeNumber = (
  sink: Sink,
  one: Series,
  interval: MetricRecord["interval"],
  value: bigint | number,
  more: ReadonlyArray<unknown> = []
): number => {
  const mark = openPoint(sink, 7, [...attributesOf(one), ...more], interval)
  if (typeof value === "bigint") sink.fixed64(6, "asInt", value)
  else sink.double(4, "asDouble", value)
  sink.close(mark)
  return 1
}

const writeHistogram = (
  sink: Sink,
  one: Series,
  state: Metric.HistogramState,
  interval: MetricRecord["interval"]
): number => {
  const { buckets, count, max, min, sum } = state
  const mark = openPoint(sink, 9, attributesOf(one), interval)
  sink.fixed64(4, "count", BigInt(count))
  sink.double(5, "sum", sum)
  // Effect counts the values up to each boundary, OTLP those of each bucket.
  const bounds: Array<number> = []
  const counts: Array<number> = []
  let below = 0
  for (const [bound, upTo] of buckets) {
    if (bound === Infinity) continue
    bounds.push(bound)
    counts.push(upTo - below)
    below = upTo
  }
  sink.fixed64s(6, "bucketCounts", [...counts, count - below])
  sink.doubles(7, "explicitBounds", bounds)
  writeExemplars(sink, state)
  if (count > 0) {
    sink.double(11, "min", min)
    sink.double(12, "max", max)
  }
  sink.close(mark)
  return 1
}

/** A value with the trace of the request that it was measured in, as the battery Metrics keeps it. */
interface Exemplar {
  readonly spanId: string
  /** Unix milliseconds. */
  readonly time: number
  readonly traceId: string
  readonly value: number
}

const writeExemplars = (
  sink: Sink,
  state: Metric.HistogramState & { readonly exemplars?: ReadonlyArray<Exemplar | undefined> }
): void => {
  const { exemplars = [] } = state
  if (exemplars.every((exemplar) => exemplar === undefined)) return
  sink.openList("exemplars")
  for (const exemplar of exemplars) {
    if (exemplar === undefined) continue
    const mark = sink.item(8, unbounded)
    sink.fixed64(2, "timeUnixNano", BigInt(exemplar.time) * 1_000_000n)
    sink.double(3, "asDouble", exemplar.value)
    sink.id(4, "spanId", exemplar.spanId)
    sink.id(5, "traceId", exemplar.traceId)
    sink.close(mark)
  }
  sink.closeList()
}

const writeSummary = (
  sink: Sink,
  one: Series,
  { count, quantiles, sum }: Metric.SummaryState,
  interval: MetricRecord["interval"]
): number => {
  const mark = openPoint(sink, 7, attributesOf(one), interval)
  sink.fixed64(4, "count", BigInt(count))
  sink.double(5, "sum", sum)
  sink.openList("quantileValues")
  for (const [quantile, value] of quantiles) {
    if (value === undefined) continue
    const item = sink.item(6, 32)
    sink.double(1, "quantile", quantile)
    sink.double(2, "value", value)
    sink.close(item)
  }
  sink.closeList()
  sink.close(mark)
  return 1
}
