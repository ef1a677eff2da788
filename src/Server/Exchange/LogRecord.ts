/** What every format writes of one log entry: its text, its fields and its errors. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import { CurrentExchange } from "./Exchange.ts"
import { type Data, type ErrorRecord, isError, Reader } from "./PlainData.ts"
import * as Redaction from "./Redaction.ts"
import { toldOf } from "./ThrownText.ts"

/** What is known of the request in which an entry was logged, besides its id. */
export interface RequestData {
  readonly clientId?: boolean | number | string
  /** The path template; `*` if no route matched. */
  readonly route?: string
  readonly userId?: boolean | number | string
}

/** One log entry as plain data, without its origin. */
export interface LogRecord {
  readonly annotations: { readonly [name: string]: Data }
  /** What was logged besides text and errors. */
  readonly data: ReadonlyArray<Data>
  /** The causes and errors that were logged, first the cause. */
  readonly errors: ReadonlyArray<ErrorRecord>
  /** The text parts, joined. */
  readonly message: string
  readonly request: RequestData
  /** Milliseconds in each log span. */
  readonly spans: { readonly [label: string]: Data } | undefined
  /** Of the innermost tracing span. */
  readonly trace: { readonly spanId: string; readonly traceId: string } | undefined
}

/** Takes an entry apart. Never throws. */
export const fromOptions = ({
  cause,
  date,
  fiber,
  message
}: Logger.Options<unknown>): LogRecord => {
  // Each part has limits of its own, so that long data does not hide the error.
  const redaction = Redaction.of((reference) => fiber.getRef(reference))
  const reader = () => new Reader(redaction)
  const data: Array<unknown> = []
  const reasons: Array<Cause.Reason<unknown>> = [...cause.reasons]
  let text = ""
  for (const part of Array.isArray(message) ? message : [message]) {
    if (isError(part)) reasons.push(...Cause.die(part).reasons)
    else if (typeof part === "object" && part !== null) data.push(part)
    else text += text === "" ? textOf(part) : ` ${textOf(part)}`
  }
  const errors = errorsOf(reasons, reader(), redaction)
  const spans = fiber.getRef(References.CurrentLogSpans)
  // The fiber may have neither a span nor a request.
  const context = fiber.context as Context.Context<CurrentExchange | Tracer.ParentSpan>
  const span = Context.getOrUndefined(context, Tracer.ParentSpan)
  return {
    annotations: reader().fields(fiber.getRef(References.CurrentLogAnnotations)),
    data: reader().list(data),
    errors,
    message: text === "" ? (errors[0]?.message ?? "") : reader().text(text),
    request: requestOf(Context.getOrUndefined(context, CurrentExchange)),
    spans:
      spans.length === 0
        ? undefined
        : reader().fields(
            Object.fromEntries(spans.map(([label, start]) => [label, date.getTime() - start]))
          ),
    trace: span === undefined ? undefined : { spanId: span.spanId, traceId: span.traceId }
  }
}

/** Returns the text of a part. A function may have a method of its own that throws. */
const textOf = (part: unknown): string => {
  try {
    return String(part)
  } catch {
    return "<unreadable>"
  }
}

const requestOf = (exchange: CurrentExchange["Service"] | undefined): RequestData => {
  if (exchange === undefined) return {}
  const { clientId, userId } = exchange.fields
  return {
    ...(clientId === undefined ? {} : { clientId }),
    route: exchange.plan.route.path,
    ...(userId === undefined ? {} : { userId })
  }
}

const errorsOf = (
  reasons: ReadonlyArray<Cause.Reason<unknown>>,
  reader: Reader,
  redaction: Redaction.Redaction
): ReadonlyArray<ErrorRecord> => {
  const failures = reasons.filter((reason) => reason._tag !== "Interrupt")
  if (failures.length === 0 && reasons.length > 0) {
    const { message, name } = Cause.prettyErrors(Cause.fromReasons(reasons))[0]!
    return [{ type: name, message }]
  }
  return failures.slice(0, maxErrors).map((reason) => {
    const thrown = reason._tag === "Fail" ? reason.error : reason.defect
    return reader.error(thrown, toldOf(reason, redaction))
  })
}

/** More failures of one cause are not logged. */
const maxErrors = 100
