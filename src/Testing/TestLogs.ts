/** The log of an app under test, as data. */
import { AssertionError } from "node:assert"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { format } from "effect/Formatter"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type { LogLevel } from "effect/LogLevel"
import * as References from "effect/References"

/** One line of the log. */
export interface LogEntry {
  /** What `Effect.annotateLogs` put on it; a request's lines have its `requestId`. */
  readonly annotations: Readonly<Record<string, unknown>>
  /** The failure that was logged with it; undefined where there was none. */
  readonly cause: Cause.Cause<unknown> | undefined
  readonly date: Date
  readonly level: LogLevel
  /** The message; several values are joined with spaces, those that are no strings formatted. */
  readonly message: string
}

/** Collects log lines. */
export interface Collector {
  readonly entries: ReadonlyArray<LogEntry>
  /** The loggers to run with instead of `loggers`. */
  readonly over: (
    loggers: ReadonlySet<Logger.Logger<unknown, unknown>>
  ) => ReadonlySet<Logger.Logger<unknown, unknown>>
}

/** Collects; with `print`, the app's own loggers go on writing. */
export const make = (print: boolean): Collector => {
  const entries: Array<LogEntry> = []
  const logger = Logger.make<unknown, void>(({ cause, date, fiber, logLevel, message }) => {
    entries.push({
      annotations: { ...fiber.getRef(References.CurrentLogAnnotations) },
      cause: cause.reasons.length === 0 ? undefined : cause,
      date,
      level: logLevel,
      message: (Array.isArray(message) ? message : [message])
        .map((part) => (typeof part === "string" ? part : format(part)))
        .join(" ")
    })
  })
  return { entries, over: (loggers) => new Set(print ? [...loggers, logger] : [logger]) }
}

/** Runs an effect with its log collected. */
export const collecting =
  (collector: Collector) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.updateService(effect, References.CurrentLoggers, collector.over)

/** A layer whose loggers, if it provides any, are collected too. */
export const collectingLayer =
  (collector: Collector) =>
  <A, E, R>(layer: Layer.Layer<A, E, R>): Layer.Layer<A, E, R> =>
    Layer.flatMap(layer, (services) => {
      const loggers = services.mapUnsafe.get(References.CurrentLoggers.key)
      return Layer.succeedContext(
        loggers === undefined
          ? services
          : // The value under a reference's key has the reference's type.
            Context.add(services, References.CurrentLoggers, collector.over(loggers as never))
      )
    })

/** One line as text, with its failure below. */
export const toText = ({ cause, level, message }: LogEntry): string =>
  [
    `${level.toUpperCase()} ${message}`,
    ...(cause === undefined ? [] : Cause.pretty(cause).split("\n"))
  ].join("\n    ")

/** The lines that say that something is broken. */
export const errors = (entries: ReadonlyArray<LogEntry>): ReadonlyArray<LogEntry> =>
  entries.filter(({ level }) => level === "Error" || level === "Fatal")

/** Throws an `AssertionError` with the lines that say that something is broken, if there are any. */
export const expectNoErrors = (entries: ReadonlyArray<LogEntry>, from: Function): void => {
  const found = errors(entries)
  if (found.length === 0) return
  throw new AssertionError({
    actual: found.map(({ message }) => message),
    expected: [],
    message: `The app logged ${found.length === 1 ? "an error" : `${found.length} errors`}:\n  ${found
      .map((entry) => toText(entry))
      .join("\n  ")}`,
    operator: "expectNoErrors",
    stackStartFn: from as (...args: ReadonlyArray<unknown>) => unknown
  })
}
