/** Durations as the options of an app have them. */
import * as Duration from "effect/Duration"

const units = new Set([
  "days",
  "hours",
  "microseconds",
  "milliseconds",
  "minutes",
  "nanoseconds",
  "seconds",
  "weeks"
])

/**
 * Returns a duration in milliseconds, or `NaN` if the value is not a duration. Effect reads some of these values as
 * zero.
 */
export const millis = (input: Duration.Input): number => {
  try {
    return isDuration(input) ? Duration.toMillis(Duration.fromInputUnsafe(input)) : Number.NaN
  } catch {
    return Number.NaN
  }
}

const isDuration = (input: unknown): boolean => {
  if (typeof input !== "object" || input === null) return !Number.isNaN(input)
  if (Duration.isDuration(input)) return true
  const parts = Object.entries(input).filter(([, part]) => part !== undefined)
  return (
    parts.length > 0 &&
    parts.every(([key, part]) => (Array.isArray(input) || units.has(key)) && !Number.isNaN(part))
  )
}
