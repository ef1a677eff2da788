/** The metrics of several processes as those of one. */
import type * as Metric from "effect/Metric"

type Snapshot = Metric.Metric.Snapshot

/** The metrics of one process. */
export interface Part {
  readonly metrics: ReadonlyArray<Snapshot>
  /**
   * The worker whose gauges are kept. Undefined for a process that serves no more: a total must not fall
   * when it ends, but its gauges have no meaning.
   */
  readonly worker: number | undefined
}

/** Returns the key of a series. */
const keyOf = ({ attributes = {}, id, type }: Snapshot): string =>
  JSON.stringify([type, id, Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))])

const plus = (a: bigint | number, b: bigint | number): bigint | number =>
  typeof a === "bigint" && typeof b === "bigint" ? a + b : Number(a) + Number(b)

/** An example of a bucket, as the battery Metrics has them. */
interface Timed {
  readonly time: number
}

const exemplarsOf = (state: object): ReadonlyArray<Timed | undefined> =>
  // Only that battery adds this key.
  "exemplars" in state ? (state.exemplars as ReadonlyArray<Timed | undefined>) : []

const newest = (a: Timed | undefined, b: Timed | undefined): Timed | undefined =>
  a === undefined || (b !== undefined && b.time > a.time) ? b : a

const addHistograms = (
  a: Metric.HistogramState,
  b: Metric.HistogramState
): Metric.HistogramState => {
  const isSame =
    a.buckets.length === b.buckets.length &&
    a.buckets.every(([boundary], i) => boundary === b.buckets[i]![0])
  // A reload can change the boundaries; a series has those of its newest process.
  if (!isSame) return a
  const [left, right] = [exemplarsOf(a), exemplarsOf(b)]
  const exemplars = Array.from({ length: Math.max(left.length, right.length) }, (_, i) =>
    newest(left[i], right[i])
  )
  return {
    buckets: a.buckets.map(([boundary, count], i) => [boundary, count + b.buckets[i]![1]]),
    count: a.count + b.count,
    max: Math.max(a.max, b.max),
    min: Math.min(a.min, b.min),
    sum: a.sum + b.sum,
    ...(exemplars.length === 0 ? {} : { exemplars })
  }
}

const addFrequencies = (
  a: ReadonlyMap<string, number>,
  b: ReadonlyMap<string, number>
): ReadonlyMap<string, number> => {
  const sum = new Map(a)
  for (const [key, count] of b) sum.set(key, (sum.get(key) ?? 0) + count)
  return sum
}

/** Returns the sum of two series with one key; undefined for those that have no sum. */
const add = (a: Snapshot, b: Snapshot): Snapshot | undefined => {
  if (a.type === "Counter" && b.type === "Counter") {
    return { ...a, state: { ...a.state, count: plus(a.state.count, b.state.count) } }
  }
  if (a.type === "Frequency" && b.type === "Frequency") {
    return {
      ...a,
      state: { occurrences: addFrequencies(a.state.occurrences, b.state.occurrences) }
    }
  }
  if (a.type === "Histogram" && b.type === "Histogram") {
    return { ...a, state: addHistograms(a.state, b.state) }
  }
  return undefined
}

const isSummed = ({ type }: Snapshot): boolean =>
  type === "Counter" || type === "Frequency" || type === "Histogram"

/**
 * Returns the metrics of all parts. Counters, frequencies and histograms are sums. Gauges and summaries
 * have no sum: each worker has its own, with the attribute `flange.worker`.
 */
export const merge = (parts: ReadonlyArray<Part>): ReadonlyArray<Snapshot> => {
  const merged = new Map<string, Snapshot>()
  for (const { metrics, worker } of parts) {
    for (const metric of metrics) {
      if (isSummed(metric)) {
        const key = keyOf(metric)
        const other = merged.get(key)
        merged.set(key, other === undefined ? metric : (add(other, metric) ?? other))
      } else if (worker !== undefined) {
        const attributes = { ...metric.attributes, "flange.worker": String(worker) }
        const own = { ...metric, attributes }
        merged.set(keyOf(own), own)
      }
    }
  }
  return [...merged.values()]
}
