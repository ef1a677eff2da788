/** What every format writes of one log entry: its text, its fields and its errors. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Inspectable from "effect/Inspectable"
import type * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"

/** An error and what caused it, as data. */
export interface ErrorRecord {
  readonly cause?: ErrorRecord
  readonly message: string
  readonly stack?: string
  /** Its name or tag. */
  readonly type: string
}

/** One log entry, apart from what says where it comes from. */
export interface LogRecord {
  readonly annotations: Readonly<Record<string, unknown>>
  /** What was logged besides text and errors. */
  readonly data: ReadonlyArray<unknown>
  /** The causes and errors that were logged, first the cause. */
  readonly errors: ReadonlyArray<Error>
  /** The text parts, joined. */
  readonly message: string
  /** Milliseconds in each log span. */
  readonly spans: Readonly<Record<string, number>> | undefined
  /** Of the innermost tracing span. */
  readonly trace: { readonly spanId: string; readonly traceId: string } | undefined
}

/** Takes an entry apart. */
export const fromOptions = ({
  cause,
  date,
  fiber,
  message
}: Logger.Options<unknown>): LogRecord => {
  const data: Array<unknown> = []
  const errors: Array<Error> = cause.reasons.length > 0 ? Cause.prettyErrors(cause) : []
  let text = ""
  for (const part of Array.isArray(message) ? message : [message]) {
    if (part instanceof Error) errors.push(...Cause.prettyErrors(Cause.die(part)))
    else if (typeof part === "object" && part !== null) data.push(part)
    else text += text === "" ? String(part) : ` ${String(part)}`
  }
  const spans = fiber.getRef(References.CurrentLogSpans)
  const span = Context.getOrUndefined(fiber.context as Context.Context<unknown>, Tracer.ParentSpan)
  return {
    annotations: fiber.getRef(References.CurrentLogAnnotations),
    data,
    errors,
    message: text === "" ? (errors[0]?.message ?? "") : text,
    spans:
      spans.length === 0
        ? undefined
        : Object.fromEntries(spans.map(([label, start]) => [label, date.getTime() - start])),
    trace: span === undefined ? undefined : { spanId: span.spanId, traceId: span.traceId }
  }
}

/** An error with its whole chain of causes. */
export const toErrorRecord = (error: Error): ErrorRecord => ({
  type: error.name,
  message: error.message,
  ...(error.stack === undefined ? {} : { stack: error.stack }),
  ...(error.cause instanceof Error ? { cause: toErrorRecord(error.cause) } : {})
})

/** A value as one line of text for people. */
export const inline = (value: unknown): string =>
  typeof value === "string" ? value : Inspectable.toStringUnknown(value, 0)
