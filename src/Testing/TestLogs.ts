/** The log of an app under test, as data. */
import { AssertionError } from "node:assert"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { format } from "effect/Formatter"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type { LogLevel } from "effect/LogLevel"
import { hasProperty } from "effect/Predicate"
import * as References from "effect/References"

/** One line of the log. */
export interface LogEntry {
  /** The annotations set with `Effect.annotateLogs`. Lines of a request have its `requestId`. */
  readonly annotations: Readonly<Record<string, unknown>>
  /** The cause that was logged with the line; `undefined` if there was none. */
  readonly cause: Cause.Cause<unknown> | undefined
  readonly date: Date
  readonly level: LogLevel
  /**
   * The message. Several values are joined with spaces; values that are not strings are formatted.
   */
  readonly message: string
}

/** Collects log lines. */
export interface Collector {
  readonly entries: ReadonlyArray<LogEntry>
  /** Returns the loggers to use instead of `loggers`. */
  readonly over: (
    loggers: ReadonlySet<Logger.Logger<unknown, unknown>>
  ) => ReadonlySet<Logger.Logger<unknown, unknown>>
}

/** Creates a collector. With `print`, the app's own loggers still write. */
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

/** Returns the layer with its log collected, also if it provides loggers of its own. */
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

/** Returns a line as text, followed by its cause. */
export const toText = ({ cause, level, message }: LogEntry): string =>
  [
    `${level.toUpperCase()} ${message}`,
    ...(cause === undefined ? [] : [...Cause.pretty(cause).split("\n"), ...statementsOf(cause)])
  ].join("\n    ")

/** Returns the statements of failed queries, which `Cause.pretty` leaves out. */
const statementsOf = ({ reasons }: Cause.Cause<unknown>): ReadonlyArray<string> =>
  reasons.flatMap((reason) => {
    const thrown = Cause.isFailReason(reason)
      ? reason.error
      : Cause.isDieReason(reason)
        ? reason.defect
        : undefined
    return hasProperty(thrown, "statement") ? [`statement: ${String(thrown.statement)}`] : []
  })

/** Returns the lines at level Error or Fatal. */
export const errors = (entries: ReadonlyArray<LogEntry>): ReadonlyArray<LogEntry> =>
  entries.filter(({ level }) => level === "Error" || level === "Fatal")

/** Throws an `AssertionError` with all lines at level Error or Fatal, if there are any. */
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
