/** The registry of an app's metrics. */
import type * as Metric from "effect/Metric"

// As Effect's own type of a registry: its metrics have states of many types.
type Metadata = Metric.MetricRegistry extends Map<string, infer Value> ? Value : never

/**
 * A registry that keeps at most `maxSeries` series of each metric. Attributes whose values callers
 * choose, such as an id, would otherwise fill the memory.
 */
export class Registry extends Map<string, Metadata> {
  readonly #counts = new Map<string, number>()
  readonly #full = new Set<string>()
  readonly #maxSeries: number
  readonly #onFull: (metric: string) => void

  /** `onFull` is called once for each metric of which a series was not kept. */
  constructor(maxSeries: number, onFull: (metric: string) => void) {
    super()
    this.#maxSeries = maxSeries
    this.#onFull = onFull
  }

  override delete(key: string): boolean {
    const metadata = this.get(key)
    if (metadata !== undefined) this.#counts.set(metadata.id, this.#counts.get(metadata.id)! - 1)
    return super.delete(key)
  }

  override set(key: string, metadata: Metadata): this {
    if (this.has(key)) return super.set(key, metadata)
    const { id } = metadata
    const count = this.#counts.get(id) ?? 0
    if (count >= this.#maxSeries) {
      if (!this.#full.has(id)) this.#onFull(id)
      this.#full.add(id)
      return this
    }
    this.#counts.set(id, count + 1)
    return super.set(key, metadata)
  }
}
