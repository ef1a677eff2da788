/** Metrics whose value is read when the metrics are. */
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"

/** A gauge, or a counter, with the function that reads it. */
export interface Reading {
  readonly attributes?: Readonly<Record<string, string>>
  readonly description: string
  readonly id: string
  readonly read: () => number
  readonly type: "counter" | "gauge"
  /** A unit of UCUM, such as `s` or `By`. */
  readonly unit?: string
}

/** Registers a reading in the registry of a context. */
export const register = (
  { attributes, description, id, read, type, unit }: Reading,
  context: Context.Context<never>
): void => {
  const options = {
    attributes: { ...attributes, ...(unit === undefined ? {} : { unit }) },
    description
  }
  const ignored = { modify: () => {}, update: () => {} }
  if (type === "gauge") {
    Metric.registerUnsafe(Metric.gauge(id, options), context, {
      ...ignored,
      get: () => ({ value: read() })
    })
  } else {
    Metric.registerUnsafe(Metric.counter(id, { ...options, incremental: true }), context, {
      ...ignored,
      get: () => ({ count: read(), incremental: true })
    })
  }
}
