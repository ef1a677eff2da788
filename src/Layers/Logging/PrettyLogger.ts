/** One short line per entry, for people. */
import * as Logger from "effect/Logger"
import type { LogLevel } from "effect/LogLevel"
import { isAccess } from "./AccessLog.ts"
import * as LogRecord from "./LogRecord.ts"

/**
 * A logger for a terminal: time of day, level, message, annotations, and the
 * errors with their stacks below.
 *
 * ```text
 * 14:28:57.508 INFO  GET /v1/items/:id 200 3ms path=/v1/items/7 requestId=0198...
 * ```
 *
 * `colors` is false by default.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Logger from "effect/Logger"
 * import * as Logging from "flange/Logging"
 *
 * const lines: Array<string> = []
 * const logger = Logger.map(Logging.pretty(), (line) => lines.push(line))
 * Effect.runSync(Effect.provide(Effect.logInfo("hello"), Logger.layer([logger])))
 * lines[0]!.slice("00:00:00.000 ".length) // => "INFO  hello"
 * ```
 */
export const pretty = (
  options: { readonly colors?: boolean | undefined } = {}
): Logger.Logger<unknown, string> => {
  const paint =
    options.colors === true
      ? (code: string, text: string) => `\u001b[${code}m${text}\u001b[0m`
      : (_code: string, text: string) => text
  return Logger.make((entry) => {
    const { annotations, data, errors, message, spans } = LogRecord.fromOptions(entry)
    const access = isAccess(annotations)
    const fields = [
      ...Object.entries(annotations).filter(([key]) => !(access && inMessage.has(key))),
      ...Object.entries(spans ?? {}).map(([label, millis]) => [label, `${millis}ms`] as const)
    ].map(([key, value]) => paint(dim, `${key}=${printable(LogRecord.inline(value))}`))
    const head = [
      paint(dim, timeOf(entry.date)),
      paint(colorOf[entry.logLevel], entry.logLevel.toUpperCase().padEnd(5)),
      message,
      ...data.map(LogRecord.inline),
      ...fields
    ].join(" ")
    return [head, ...errors.map((error) => indent(stackOf(error)))].join("\n")
  })
}

const dim = "2"

const colorOf: Readonly<Record<LogLevel, string>> = {
  All: "0",
  Debug: "34",
  Error: "31",
  Fatal: "41",
  Info: "32",
  None: "0",
  Trace: "90",
  Warn: "33"
}

/** Fields of an access line that its message already says. */
const inMessage: ReadonlySet<string> = new Set(["durationMs", "method", "route", "status"])

const pad = (value: number, length: number) => String(value).padStart(length, "0")

const timeOf = (date: Date) =>
  `${pad(date.getHours(), 2)}:${pad(date.getMinutes(), 2)}:${pad(date.getSeconds(), 2)}.${pad(date.getMilliseconds(), 3)}`

/** What a caller sends must not move the cursor of the terminal. */
const printable = (text: string) =>
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, (character) =>
    JSON.stringify(character).slice(1, -1)
  )

const stackOf = (error: Error): string => {
  const own = error.stack ?? `${error.name}: ${error.message}`
  return error.cause instanceof Error ? `${own}\ncaused by ${stackOf(error.cause)}` : own
}

const indent = (text: string) => `  ${text.replaceAll("\n", "\n  ")}`
