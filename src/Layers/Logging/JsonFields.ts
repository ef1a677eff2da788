/** The fields of a line of JSON that are not those of its entry. */

/** The service that writes the lines: it is on every line. */
export interface Origin {
  readonly environment: string
  readonly service: string
  readonly version: string
}

/** Returns the name that an annotation has in a line. */
export const fieldName = (annotation: string): string =>
  fixed.has(annotation) ? `annotation.${annotation}` : annotation

const fixed: ReadonlySet<string> = new Set([
  "data",
  "environment",
  "error",
  "level",
  "message",
  "service",
  "spanId",
  "spans",
  "suppressed",
  "time",
  "traceId",
  "version"
])
