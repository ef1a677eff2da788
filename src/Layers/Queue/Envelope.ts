/**
 * What is stored of an item: its payload, the version of its payload, and the trace and the request that it
 * comes from.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as Tracer from "effect/Tracer"
import * as OwnKeys from "../../Contract/OwnKeys.ts"
import { CurrentExchange } from "../../Server/Exchange/Exchange.ts"
import { fromHeaders } from "../../Server/Exchange/TraceContext.ts"
import * as Spans from "./Spans.ts"

/** An envelope, as its JSON text has it. */
export interface Envelope {
  /** The encoded payload. */
  readonly payload: unknown
  /** The id of the request that enqueued it. */
  readonly requestId?: string
  /** The span that enqueued it, or that of the caller if the app has no tracer, as W3C Trace Context. */
  readonly traceparent?: string
  /** The version of the payload. */
  readonly version: number
}

/** An item as its handler gets it. */
export interface Opened<out Payload> {
  readonly payload: Payload
  readonly requestId: string | undefined
  readonly trace: Tracer.ExternalSpan | undefined
}

/** Turns the payload of one version into that of the next one. Both are encoded: JSON values. */
export type Migrations = Readonly<Record<number, (payload: unknown) => unknown>>

/** Returns the envelope of a payload that a fiber enqueues. */
export const make = (
  payload: unknown,
  version: number,
  fiber: Fiber.Fiber<unknown, unknown>
): Envelope => {
  // The fiber may have none of these.
  const context = fiber.context as Context.Context<CurrentExchange | Tracer.ParentSpan>
  const parent = Context.getOrUndefined(context, Tracer.ParentSpan)
  const exchange = Context.getOrUndefined(context, CurrentExchange)
  // Without a tracer, the span of the fiber has a new trace id, and no span of this trace is exported.
  const caller =
    Spans.hasTracer(fiber) || exchange === undefined || parent?._tag === "ExternalSpan"
      ? undefined
      : fromHeaders((name) => exchange.header(name))
  const span = caller ?? parent
  const { requestId } = fiber.getRef(References.CurrentLogAnnotations)
  return {
    payload,
    ...(typeof requestId === "string" ? { requestId } : {}),
    ...(span === undefined
      ? {}
      : { traceparent: `00-${span.traceId}-${span.spanId}-${span.sampled ? "01" : "00"}` }),
    version
  }
}

const refuse = (message: string) =>
  Exit.fail(new Schema.SchemaError(new SchemaIssue.InvalidValue({ message })))

/** Parses the stored text of an item. */
export const parse = (element: string): Exit.Exit<unknown, Schema.SchemaError> => {
  try {
    return Exit.succeed(JSON.parse(element))
  } catch {
    return refuse("The stored text of the item is not JSON")
  }
}

const isEnvelope = (value: unknown): value is Envelope =>
  typeof value === "object" &&
  value !== null &&
  "payload" in value &&
  "version" in value &&
  Number.isSafeInteger(value.version)

/** Returns the payload of an envelope in the current version. */
const migrated = (
  { payload, version }: Envelope,
  current: number,
  migrations: Migrations
): Exit.Exit<unknown, Schema.SchemaError> => {
  let value = payload
  for (let from = version; from < current; from++) {
    const migrate = migrations[from]
    if (migrate === undefined) {
      return refuse(
        `The payload has version ${version}, and the queue has version ${current} and no migration of version ${from}. Write one in \`migrate\``
      )
    }
    try {
      value = migrate(value)
    } catch (error) {
      return refuse(
        `The migration of version ${from} threw ${error instanceof Error ? error.message : typeof error}`
      )
    }
  }
  return Exit.succeed(value)
}

/**
 * Returns the function that opens the texts of items. The payload of a later version is decoded without a
 * migration: it fits if what was added is optional.
 */
export const opener = <Payload>(
  payload: Schema.Codec<Payload, unknown>,
  version: number,
  migrations: Migrations
) => {
  const decode = OwnKeys.decodeUnknownEffect(payload)
  return (element: string): Effect.Effect<Opened<Payload>, Schema.SchemaError> => {
    const parsed = parse(element)
    if (parsed._tag === "Failure") return Exit.failCause(parsed.cause)
    const { value } = parsed
    if (!isEnvelope(value)) {
      return refuse("The item has no envelope of Queue.make: another program added it")
    }
    const current = migrated(value, version, migrations)
    if (current._tag === "Failure") return Exit.failCause(current.cause)
    const { requestId, traceparent } = value
    return Effect.map(decode(current.value), (opened): Opened<Payload> => ({
      payload: opened,
      requestId: typeof requestId === "string" ? requestId : undefined,
      trace:
        typeof traceparent === "string"
          ? fromHeaders((name) => (name === "traceparent" ? traceparent : undefined))
          : undefined
    }))
  }
}
