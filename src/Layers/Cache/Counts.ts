/** What a cache did: metrics, and the same numbers for the admin port. */
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import type { MemoryStore } from "./MemoryStore.ts"

/** How a look-up ended. */
export type Result = "hit" | "miss" | "stale" | "undecodable"

/** How a load ended. */
export type Outcome = "failure" | "success"

/** The numbers of one cache, since the start of the process. */
export interface Numbers {
  bytes: number
  evictions: number
  hits: number
  loads: number
  loadsFailed: number
  misses: number
  stale: number
  undecodable: number
}

/** The most names with numbers of their own. A name that callers choose would fill the memory. */
const maxNames = 100

const otherName = "_OTHER"

const lookups = {
  description: "Look-ups in the cache, by their result",
  incremental: true
} as const

const makeSeries = (name: string) => {
  const lookup = (result: Result) =>
    Metric.counter("cache.lookups", {
      ...lookups,
      attributes: { "cache.name": name, "cache.result": result }
    })
  const load = (outcome: Outcome) =>
    Metric.counter("cache.loads", {
      attributes: { "cache.name": name, "cache.outcome": outcome },
      description: "Loads of values that the cache did not have",
      incremental: true
    })
  const numbers: Numbers = {
    bytes: 0,
    evictions: 0,
    hits: 0,
    loads: 0,
    loadsFailed: 0,
    misses: 0,
    stale: 0,
    undecodable: 0
  }
  return {
    bytes: Metric.gauge("cache.memory.usage", {
      attributes: { "cache.name": name, unit: "By" },
      description: "Memory of the values in the process"
    }),
    evictions: Metric.counter("cache.evictions", {
      attributes: { "cache.name": name },
      description: "Values that were removed because the memory was full",
      incremental: true
    }),
    load: { failure: load("failure"), success: load("success") },
    lookup: {
      hit: lookup("hit"),
      miss: lookup("miss"),
      stale: lookup("stale"),
      undecodable: lookup("undecodable")
    },
    numbers
  }
}

type Series = ReturnType<typeof makeSeries>

const fieldOf = {
  hit: "hits",
  miss: "misses",
  stale: "stale",
  undecodable: "undecodable"
} as const satisfies Record<Result, keyof Numbers>

/** The numbers of all caches of an app. */
export class Counts {
  #errors = 0
  readonly #memory: MemoryStore | undefined
  readonly #series = new Map<string, Series>()

  constructor(memory: MemoryStore | undefined) {
    this.#memory = memory
  }

  /** The failures of the backend, and the times it did not answer. */
  get errors(): number {
    return this.#errors
  }

  /** Counts a failure of the backend. */
  error(backend: string, operation: string, context: Context.Context<never>): void {
    this.#errors++
    Metric.counter("cache.errors", {
      attributes: { "cache.backend": backend, "cache.operation": operation },
      description: "Failures of the backend of the cache, and times it did not answer",
      incremental: true
    }).updateUnsafe(1, context)
  }

  /** Counts a load. */
  load(name: string, outcome: Outcome, context: Context.Context<never>): void {
    const { load, numbers } = this.#of(name)
    numbers.loads++
    if (outcome === "failure") numbers.loadsFailed++
    load[outcome].updateUnsafe(1, context)
  }

  /** Counts a look-up. */
  lookup(name: string, result: Result, context: Context.Context<never>): void {
    const { lookup, numbers } = this.#of(name)
    numbers[fieldOf[result]]++
    lookup[result].updateUnsafe(1, context)
  }

  /** Takes over what changed in the memory of the process. */
  memory(context: Context.Context<never>): void {
    if (this.#memory === undefined) return
    const totals = new Map<Series, { bytes: number; evictions: number }>()
    for (const [name, { bytes, evictions }] of this.#memory.usage) {
      const series = this.#of(name === "" ? otherName : name)
      const total = totals.get(series) ?? { bytes: 0, evictions: 0 }
      totals.set(series, { bytes: total.bytes + bytes, evictions: total.evictions + evictions })
    }
    for (const [series, { bytes, evictions }] of totals) {
      const { numbers } = series
      if (numbers.bytes !== bytes) series.bytes.updateUnsafe(bytes, context)
      const more = evictions - numbers.evictions
      if (more > 0) series.evictions.updateUnsafe(more, context)
      numbers.bytes = bytes
      numbers.evictions = evictions
    }
  }

  /** Returns the numbers by the name of the cache. */
  snapshot(): Readonly<Record<string, Readonly<Numbers>>> {
    return Object.fromEntries(
      [...this.#series]
        .map(([name, { numbers }]) => [name, { ...numbers }] as const)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
    )
  }

  #of(name: string): Series {
    const known = this.#series.get(name)
    if (known !== undefined) return known
    if (this.#series.size >= maxNames && name !== otherName) return this.#of(otherName)
    const series = makeSeries(name)
    this.#series.set(name, series)
    return series
  }
}
