/** A log entry as a record of OTLP. */
import type * as Logger from "effect/Logger"
import type { LogLevel } from "effect/LogLevel"
import { accessNames, type AccessRecord, messageOf } from "../../../Server/Exchange/LogOutputs.ts"
import * as LogRecord from "../../../Server/Exchange/LogRecord.ts"
import {
  type Data,
  type ErrorRecord,
  isErrorRecord,
  Reader
} from "../../../Server/Exchange/PlainData.ts"
import type { RouteName } from "../../../Server/Exchange/ServerSpan.ts"
import { type Sink, unbounded } from "./Sink.ts"
import { traceIdOf } from "./SpanRecord.ts"
import * as Values from "./Values.ts"

/** A log entry as plain data. */
export interface LogEntry {
  /** Names and values in turn. */
  readonly attributes: ReadonlyArray<unknown>
  readonly body: string
  readonly level: LogLevel
  /** Unix milliseconds. */
  readonly time: number
  readonly trace: LogRecord.LogRecord["trace"]
}

/** Source: OpenTelemetry Logs Data Model, section "SeverityNumber". */
const severities: Readonly<Record<LogLevel, number>> = {
  All: 1,
  Debug: 5,
  Error: 17,
  Fatal: 21,
  Info: 9,
  None: 0,
  Trace: 1,
  Warn: 13
}

/** Writes an entry. */
export const write = (sink: Sink, entry: LogEntry, maxLength: number): void => {
  const { attributes, body, level, time, trace } = entry
  const nanos = BigInt(time) * 1_000_000n
  const mark = sink.item(2, unbounded)
  sink.fixed64(1, "timeUnixNano", nanos)
  sink.fixed64(11, "observedTimeUnixNano", nanos)
  sink.uint32(2, "severityNumber", severities[level])
  sink.text(3, "severityText", level.toUpperCase())
  Values.any(sink, 5, "body", body, maxLength)
  Values.attributes(sink, 6, attributes, maxLength)
  if (trace !== undefined) {
    sink.id(9, "traceId", traceIdOf(trace))
    sink.id(10, "spanId", trace.spanId)
  }
  sink.close(mark)
}

/** Returns an entry of a logger. */
export const ofLogger = (options: Logger.Options<unknown>): LogEntry => {
  const { annotations, data, errors, message, spans, trace } = LogRecord.fromOptions(options)
  const attributes: Array<unknown> = Object.entries(annotations).flat()
  if (spans !== undefined) attributes.push("spans", spans)
  if (data.length > 0) attributes.push("data", data.length === 1 ? data[0] : data)
  const [error, ...suppressed] = errors
  if (error !== undefined) attributes.push(...exceptionOf(error))
  if (suppressed.length > 0) attributes.push("suppressed", suppressed)
  const time = options.date.getTime()
  return {
    attributes,
    body: message,
    level: options.logLevel,
    // An invalid date has no time.
    time: Number.isNaN(time) ? Date.now() : time,
    trace
  }
}

/** Returns the function that makes the entries of the access lines of a route. */
export const ofAccess =
  (route: RouteName) =>
  (record: AccessRecord): LogEntry => {
    const { clientIp, code, durationMs, fields, requestId, status, time, trace, userAgent } = record
    const attributes: Array<unknown> = ["requestId", requestId]
    for (const name in fields) {
      if (!accessNames.has(name)) attributes.push(name, dataOf(fields[name]))
    }
    if (clientIp !== undefined) attributes.push("clientIp", clientIp)
    if (code !== undefined) attributes.push("code", code)
    attributes.push("durationMs", durationMs, "isPrivileged", record.isPrivileged)
    attributes.push("method", record.method, "path", record.path)
    attributes.push("route", route.path, "status", status)
    if (userAgent !== undefined) attributes.push("userAgent", userAgent)
    return { attributes, body: messageOf(route, record), level: "Info", time, trace }
  }

const dataOf = (value: unknown): Data | undefined =>
  typeof value === "string" ? value : new Reader().value(value)

/** The members of an error that the conventions have attributes for. */
const conventional: ReadonlySet<string> = new Set(["message", "stack", "type"])

/**
 * Returns the attributes of an error: those of the conventions, whose stack has the causes too, and
 * `error` with its own fields and its cause.
 *
 * Source: OpenTelemetry semantic conventions for exceptions in logs.
 */
const exceptionOf = (error: ErrorRecord): ReadonlyArray<unknown> => {
  const stack = stackOf(error)
  const own = Object.entries(error).filter(([name]) => !conventional.has(name))
  return [
    "exception.type",
    error.type,
    "exception.message",
    error.message,
    ...(stack === "" ? [] : ["exception.stacktrace", stack]),
    ...(own.length === 0 ? [] : ["error", Object.fromEntries(own)])
  ]
}

const stackOf = ({ cause, stack }: ErrorRecord): string => {
  const own = typeof stack === "string" ? stack : ""
  const below = cause !== undefined && isErrorRecord(cause) ? stackOf(cause) : ""
  return below === "" ? own : `${own}\nCaused by: ${below}`
}
