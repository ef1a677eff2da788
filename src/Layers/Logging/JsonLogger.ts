/** One JSON object per line, for programs. */
import * as Formatter from "effect/Formatter"
import * as Logger from "effect/Logger"
import * as LogRecord from "./LogRecord.ts"

/** What says where an entry comes from, on every line. */
export interface Origin {
  readonly environment: string
  readonly service: string
  readonly version: string
}

/**
 * A logger that gives each entry as one line of JSON:
 *
 * ```json
 * {
 *   "time": "2025-01-03T14:28:57.508Z", "level": "error", "message": "Request failed",
 *   "service": "shop", "version": "1.2.0", "environment": "production",
 *   "requestId": "0198...", "spans": { "checkout": 12 },
 *   "error": { "type": "SqlError", "message": "...", "stack": "...", "cause": { "type": "..." } }
 * }
 * ```
 *
 * Annotations stand beside the fixed fields; one that has the name of a fixed
 * field gets the prefix `annotation.`. `error` is the first error; the others,
 * where there are several, are in `suppressed`. Objects that were logged are in
 * `data`. A `Redacted` value is written as `<redacted>`. A value that cannot be
 * written as JSON never keeps the line from being written.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Logger from "effect/Logger"
 * import * as Logging from "flange/Logging"
 *
 * const lines: Array<string> = []
 * const json = Logging.json({ environment: "test", service: "shop", version: "1.0.0" })
 * const logger = Logger.map(json, (line) => lines.push(line))
 * Effect.runSync(Effect.provide(Effect.logInfo("hello"), Logger.layer([logger])))
 * JSON.parse(lines[0]!).message // => "hello"
 * ```
 */
export const json = (origin: Origin): Logger.Logger<unknown, string> =>
  Logger.make((options) => {
    const { annotations, data, errors, message, spans, trace } = LogRecord.fromOptions(options)
    const record: Record<string, unknown> = {
      time: options.date.toISOString(),
      level: options.logLevel.toLowerCase(),
      message,
      service: origin.service,
      version: origin.version,
      environment: origin.environment
    }
    for (const key of Object.keys(annotations)) {
      record[fixed.has(key) ? `annotation.${key}` : key] = annotations[key]
    }
    if (trace !== undefined) Object.assign(record, trace)
    if (spans !== undefined) record["spans"] = spans
    if (data.length > 0) record["data"] = data.length === 1 ? data[0] : data
    if (errors.length > 0) record["error"] = LogRecord.toErrorRecord(errors[0]!)
    if (errors.length > 1) record["suppressed"] = errors.slice(1).map(LogRecord.toErrorRecord)
    return stringify(record)
  })

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

/** Most records hold only strings and numbers: those take the engine's own fast path. */
const stringify = (record: Record<string, unknown>): string => {
  for (const key in record) {
    const value = record[key]
    if (key !== "error" && key !== "spans" && key !== "suppressed" && isExotic(value)) {
      return stringifyAnything(record)
    }
  }
  return JSON.stringify(record)
}

const isExotic = (value: unknown) => typeof value === "bigint" || typeof value === "object"

const stringifyAnything = (record: Record<string, unknown>): string => {
  try {
    return Formatter.formatJson(record)
  } catch (error) {
    // A getter or `toJSON` of a logged value throws.
    const plain = Object.entries(record).filter(([, value]) => !isExotic(value))
    return JSON.stringify({ ...Object.fromEntries(plain), unprintable: String(error) })
  }
}
