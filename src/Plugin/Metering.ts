/**
 * Metrics of batteries and of the server. They are in the registry of the app, which the battery
 * Metrics provides. An app without that battery measures nothing.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"

/** The attributes of a series. */
export type Attributes = Readonly<Record<string, string>>

/** A gauge, or a counter, with the function that reads it when the metrics are read. */
export interface Reading {
  readonly attributes?: Attributes
  readonly description: string
  readonly id: string
  readonly read: () => number
  readonly type: "counter" | "gauge"
  /** A unit of UCUM, such as `s` or `By`. */
  readonly unit?: string
}

/** Checks whether an app with these services keeps metrics. */
export const isMetered = (context: Context.Context<never>): boolean =>
  Context.getOrUndefined(context, Metric.MetricRegistry) !== undefined

/** Runs an effect without the registry of the app: it measures nothing. */
export const unmetered = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.updateContext(
    effect,
    (context: Context.Context<R>) =>
      Context.omit(Metric.MetricRegistry)(context as Context.Context<never>) as Context.Context<R>
  )

const withUnit = (attributes: Attributes | undefined, unit: string | undefined): Attributes =>
  unit === undefined ? { ...attributes } : { ...attributes, unit }

/** Registers a reading in the registry of a context, if it has one. */
export const register = (
  { attributes, description, id, read, type, unit }: Reading,
  context: Context.Context<never>
): void => {
  if (!isMetered(context)) return
  const options = { attributes: withUnit(attributes, unit), description }
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

/** Registers readings in the registry of the app. */
export const readings = (all: ReadonlyArray<Reading>): Effect.Effect<void> =>
  Effect.map(Effect.context<never>(), (context) => {
    for (const reading of all) register(reading, context)
  })

/**
 * Returns a function that returns, for the attributes of a series, the function that adds 1 to it. Call
 * the first one once for each series.
 */
export const counter = (
  context: Context.Context<never>,
  id: string,
  description: string
): ((attributes: Attributes) => () => void) => {
  const isKept = isMetered(context)
  return (attributes) => {
    if (!isKept) return () => {}
    const series = Metric.counter(id, { attributes, description, incremental: true })
    // A rate is known from the first time on only if the series was 0 before.
    series.updateUnsafe(0, context)
    return () => series.updateUnsafe(1, context)
  }
}

/** The boundaries of the durations of waits and calls, in seconds. */
export const seconds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

/** Returns a function that records a duration, in seconds, in the series of these attributes. */
export const duration = (
  context: Context.Context<never>,
  id: string,
  description: string
): ((attributes: Attributes) => (value: number) => void) => {
  const isKept = isMetered(context)
  return (attributes) => {
    if (!isKept) return () => {}
    const series = Metric.histogram(id, {
      attributes: withUnit(attributes, "s"),
      boundaries: seconds,
      description
    })
    return (value) => series.updateUnsafe(value, context)
  }
}
