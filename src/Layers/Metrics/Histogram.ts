/** Histograms of requests. A bucket keeps the trace of the last sampled request in it. */
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import type { Observed } from "../../Server/Exchange/Observers.ts"

/** The trace of a request, and what was measured. */
export interface Exemplar {
  readonly spanId: string
  /** Unix milliseconds. */
  readonly time: number
  readonly traceId: string
  readonly value: number
}

/** The state of a histogram with exemplars: one for each boundary, and one for all values above. */
export interface State extends Metric.HistogramState {
  readonly exemplars: ReadonlyArray<Exemplar | undefined>
}

/** A description of a histogram. */
export interface Options {
  readonly attributes: Readonly<Record<string, string>>
  /** In ascending order. */
  readonly boundaries: ReadonlyArray<number>
  readonly description: string
}

/**
 * One series of a histogram. Unlike one of Effect it is looked up in the registry once, when it is
 * created, and it has exemplars.
 */
export class Histogram {
  readonly #boundaries: ReadonlyArray<number>
  #count = 0
  readonly #counts: Array<number>
  #exemplars: Array<Exemplar | undefined> | undefined
  #max = -Infinity
  #min = Infinity
  #sum = 0

  /** Registers the series in the registry of a context. */
  constructor(id: string, options: Options, context: Context.Context<never>) {
    this.#boundaries = options.boundaries
    this.#counts = Array.from({ length: options.boundaries.length + 1 }, () => 0)
    Metric.registerUnsafe(Metric.histogram(id, options), context, {
      get: () => this.#state(),
      modify: () => {},
      update: () => {}
    })
  }

  /** Records a value, with the trace of its request if that is sampled. */
  record(value: number, trace: Observed["trace"], clock: Pick<Observed, "now">): void {
    const boundaries = this.#boundaries
    let bucket = 0
    // Most values are in one of the first buckets.
    while (bucket < boundaries.length && value > boundaries[bucket]!) bucket++
    this.#counts[bucket]!++
    this.#count++
    this.#sum += value
    if (value < this.#min) this.#min = value
    if (value > this.#max) this.#max = value
    if (trace?.sampled !== true) return
    const { spanId, traceId } = trace
    this.#exemplars ??= []
    this.#exemplars[bucket] = { spanId, time: clock.now(), traceId, value }
  }

  #state(): State {
    let below = 0
    return {
      buckets: this.#boundaries.map((boundary, i) => [boundary, (below += this.#counts[i]!)]),
      count: this.#count,
      exemplars: this.#counts.map((_, i) => this.#exemplars?.[i]),
      max: this.#max,
      min: this.#min,
      sum: this.#sum
    }
  }
}

/** Returns the exemplars of a histogram; none for one of Effect. */
export const exemplarsOf = (state: Metric.HistogramState): State["exemplars"] =>
  "exemplars" in state ? (state as State).exemplars : []
