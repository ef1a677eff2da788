/** One JSON object per line, for programs. */
import * as Logger from "effect/Logger"
import { escaped } from "../../Server/Exchange/Control.ts"
import * as LogRecord from "../../Server/Exchange/LogRecord.ts"
import type { Format } from "./Format.ts"
import { lines as accessLines } from "./JsonAccess.ts"
import { fieldName, type Origin } from "./JsonFields.ts"

/**
 * Returns a logger that writes each entry as one line of JSON:
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
 * if there are several, are in `suppressed`. An error has its own fields, such as
 * `code` and `errno`, the `errors` of an `AggregateError`, and its `cause`. Objects
 * that were logged are in `data`; a `Map` with texts as keys is an object there,
 * any other `Map` a list of pairs, a `Set` a list.
 *
 * `<redacted>` stands for a `Redacted` value and for a field with the name of a secret, such as
 * `authorization` or `accessToken`, at any depth, and for such values inside texts. Long texts and lists are cut,
 * deep values end in `…`, cycles in `<circular>`; what throws when it is read is
 * `<unreadable>`. Control characters are escaped.
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
    const { annotations, data, errors, message, request, spans, trace } =
      LogRecord.fromOptions(options)
    const record: Record<string, unknown> = {
      // `null` for an invalid date.
      time: options.date.toJSON(),
      level: options.logLevel.toLowerCase(),
      message,
      service: origin.service,
      version: origin.version,
      environment: origin.environment,
      ...request
    }
    for (const key of Object.keys(annotations)) {
      record[fieldName(key)] = annotations[key]
    }
    if (trace !== undefined) Object.assign(record, trace)
    if (spans !== undefined) record["spans"] = spans
    if (data.length > 0) record["data"] = data.length === 1 ? data[0] : data
    if (errors.length > 0) record["error"] = errors[0]
    if (errors.length > 1) record["suppressed"] = errors.slice(1)
    return escaped(JSON.stringify(record))
  })

/** Returns the format of JSON. */
export const format = (origin: Origin): Format => ({
  access: (route) => accessLines(origin, route),
  logger: json(origin),
  notice: (message, fields) =>
    JSON.stringify({ time: new Date(), level: "warn", message, ...origin, ...fields })
})
