/** The decision which traces are exported. */
import * as TraceIds from "../../../Server/Exchange/TraceIds.ts"

/** The names of `OTEL_TRACES_SAMPLER`. */
export const names = [
  "always_off",
  "always_on",
  "parentbased_always_off",
  "parentbased_always_on",
  "parentbased_traceidratio",
  "traceidratio"
] as const

/** The span of another service that a span continues. */
export interface Parent {
  readonly sampled: boolean
  readonly traceId: string
}

/** Decides which traces are exported. */
export interface Sampler {
  /** Returns whether the first span of this service in a trace is exported, and those below it. */
  readonly decide: (parent: Parent | undefined) => boolean
  /** Returns a new trace id for which every sampler of this ratio decides in the same way. */
  readonly traceId: (isSampled: boolean) => string
}

/** The digits of a trace id that decide: thirteen, as many as a number holds, from the nineteenth. */
const first = 18
const digits = 13
const range = 16 ** digits

/**
 * Creates a sampler. A trace is sampled if the number in the last digits of its id is at least
 * `1 - ratio` of the range.
 *
 * Source: OpenTelemetry Tracing SDK, sections "ParentBased" and "Consistent Probability Sampling".
 */
export const make = (name: (typeof names)[number], argument: number): Sampler => {
  const ratio = name.endsWith("always_on") ? 1 : name.endsWith("always_off") ? 0 : argument
  const threshold = Math.round((1 - ratio) * range)
  const isParentBased = name.startsWith("parentbased_")
  return {
    decide: (parent) => {
      if (parent === undefined) return ratio === 1 || (ratio > 0 && TraceIds.random() < ratio)
      if (isParentBased) return parent.sampled
      const deciding = parent.traceId.padStart(32, "0").slice(first, first + digits)
      return Number.parseInt(deciding, 16) >= threshold
    },
    traceId: (isSampled) => {
      const id = TraceIds.trace()
      if (ratio === 1 || ratio === 0) return id
      const [from, size] = isSampled ? [threshold, range - threshold] : [0, threshold]
      const number = from + Math.floor(TraceIds.random() * size)
      return (
        id.slice(0, first) + number.toString(16).padStart(digits, "0") + id.slice(first + digits)
      )
    }
  }
}
