/** One short line per entry, for people. */
import * as Logger from "effect/Logger"
import type { LogLevel } from "effect/LogLevel"
import { escaped } from "../../Server/Exchange/Control.ts"
import { annotationsOf, messageOf } from "../../Server/Exchange/LogOutputs.ts"
import * as LogRecord from "../../Server/Exchange/LogRecord.ts"
import {
  type Data,
  type ErrorRecord,
  isErrorRecord,
  Reader
} from "../../Server/Exchange/PlainData.ts"
import type { Format } from "./Format.ts"

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
  options: {
    /** Whether lines have colors. Default: false. */
    readonly colors?: boolean | undefined
  } = {}
): Logger.Logger<unknown, string> => {
  const render = renderer(options.colors === true)
  return Logger.make((entry) => render(entry.date, entry.logLevel, LogRecord.fromOptions(entry)))
}

/** Returns the format of short lines. */
export const format = (colors: boolean): Format => {
  const render = renderer(colors)
  const line = (time: number, level: LogLevel, message: string, annotations: object) =>
    render(new Date(time), level, {
      annotations: new Reader().fields(annotations),
      data: [],
      errors: [],
      message,
      spans: undefined
    })
  return {
    access: (route) => (record) =>
      line(record.time, "Info", messageOf(route, record), annotationsOf(route, record)),
    logger: pretty({ colors }),
    notice: (message, fields) => line(Date.now(), "Warn", message, fields)
  }
}

const renderer =
  (colors: boolean) =>
  (
    date: Date,
    level: LogLevel,
    {
      annotations,
      data,
      errors,
      message,
      spans
    }: Pick<LogRecord.LogRecord, "annotations" | "data" | "errors" | "message" | "spans">
  ): string => {
    const paint = colors
      ? (code: string, text: string) => `\u001b[${code}m${text}\u001b[0m`
      : (_code: string, text: string) => text
    const access = isAccess(annotations)
    const fields = [
      ...Object.entries(annotations).filter(([key]) => !(access && inMessage.has(key))),
      ...Object.entries(spans ?? {}).map(([label, millis]) => [label, `${millis}ms`] as const)
    ].map(([key, value]) => paint(dim, escaped(`${key}=${inline(value)}`)))
    const head = [
      paint(dim, timeOf(date)),
      paint(colorOf[level], level.toUpperCase().padEnd(5)),
      escaped(message),
      ...data.map((value) => escaped(inline(value))),
      ...fields
    ].join(" ")
    return [head, ...errors.flatMap((error) => linesOf(error)).map((line) => `  ${line}`)].join(
      "\n"
    )
  }

/** Checks whether the annotations are those of an access line. */
const isAccess = (annotations: Readonly<Record<string, unknown>>): boolean =>
  annotations["durationMs"] !== undefined && annotations["route"] !== undefined

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

const inline = (value: Data): string => (typeof value === "string" ? value : JSON.stringify(value))

/** The lines of an error: its message and own fields, its stack, then its cause and its members. */
const linesOf = (error: ErrorRecord): ReadonlyArray<string> => {
  const { cause, errors, message, stack, type, ...fields } = error
  const title = message === "" ? type : `${type}: ${message}`
  const own = Object.keys(fields).length === 0 ? "" : ` ${JSON.stringify(fields)}`
  return [
    escaped(title + own),
    ...framesOf(stack, message).map(escaped),
    ...(cause === undefined ? [] : named("caused by", cause)),
    ...(Array.isArray(errors) ? errors : []).flatMap((member, i) =>
      named(`error ${i + 1}:`, member)
    )
  ]
}

const named = (name: string, value: Data): ReadonlyArray<string> => {
  const [first, ...more] = isErrorRecord(value) ? linesOf(value) : [escaped(inline(value))]
  return [`${name} ${first}`, ...more]
}

/** The stack without the message before it, which may have line breaks that look like frames. */
const framesOf = (stack: Data | undefined, message: string): ReadonlyArray<string> => {
  if (typeof stack !== "string") return []
  const at = stack.indexOf(message)
  const frames = at === -1 ? stack : stack.slice(at + message.length)
  return frames.split("\n").filter((line) => /^\s+at /.test(line))
}
