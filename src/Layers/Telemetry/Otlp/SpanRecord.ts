/** A span as a record of OTLP. */
import type * as Cause from "effect/Cause"
import type * as Exit from "effect/Exit"
import type { AnySpan, Span, SpanLink } from "effect/Tracer"
import { toldOf } from "../../../Server/Exchange/ThrownText.ts"
import * as TraceContext from "../../../Server/Exchange/TraceContext.ts"
import { type Sink, unbounded } from "./Sink.ts"
import * as Values from "./Values.ts"

/** What happened while a span was open. Attributes are names and values in turn. */
export interface SpanEvent {
  readonly attributes: ReadonlyArray<unknown>
  readonly name: string
  readonly time: bigint
}

/** A span that has ended. */
export interface EndedSpan extends Span {
  readonly droppedAttributes: number
  readonly droppedEvents: number
  readonly droppedLinks: number
  readonly endTime: bigint
  /** Names and values in turn. */
  readonly entries: ReadonlyArray<unknown>
  readonly events: ReadonlyArray<SpanEvent>
  readonly exit: Exit.Exit<unknown, unknown>
  readonly parentSpan: AnySpan | undefined
  readonly startTime: bigint
}

const kinds = { client: 3, consumer: 5, internal: 1, producer: 4, server: 2 } as const

const statusError = 2

/** The flag that tells that the next one is set on purpose. */
const hasIsRemote = 0x100
const isRemote = 0x200

/** Writes a span. */
export const write = (sink: Sink, span: EndedSpan, maxLength: number): void => {
  const { entries, events, exit, links, parentSpan } = span
  const mark = sink.item(2, unbounded)
  sink.id(1, "traceId", traceIdOf(span))
  sink.id(2, "spanId", span.spanId)
  const state = TraceContext.stateOf(span)
  if (state !== "") sink.text(3, "traceState", state)
  if (parentSpan !== undefined) sink.id(4, "parentSpanId", parentSpan.spanId)
  sink.text(5, "name", span.name)
  sink.uint32(6, "kind", kinds[span.kind])
  sink.fixed64(7, "startTimeUnixNano", span.startTime)
  sink.fixed64(8, "endTimeUnixNano", span.endTime)
  Values.attributes(sink, 9, entries, maxLength)
  if (span.droppedAttributes > 0) sink.uint32(10, "droppedAttributesCount", span.droppedAttributes)
  const failures = exit._tag === "Failure" ? exit.cause.reasons.filter(isFailure) : []
  if (events.length + failures.length > 0) {
    sink.openList("events")
    for (const event of events) writeEvent(sink, event, maxLength)
    for (const failure of failures.slice(0, maxFailures)) {
      const attributes = exceptionOf(failure)
      if (attributes.length > 0) {
        writeEvent(sink, { attributes, name: "exception", time: span.endTime }, maxLength)
      }
    }
    sink.closeList()
  }
  if (span.droppedEvents > 0) sink.uint32(12, "droppedEventsCount", span.droppedEvents)
  if (links.length > 0) {
    sink.openList("links")
    for (const link of links) writeLink(sink, link, maxLength)
    sink.closeList()
  }
  if (span.droppedLinks > 0) sink.uint32(14, "droppedLinksCount", span.droppedLinks)
  if (failures.length > 0) {
    const status = sink.open(15, "status", unbounded)
    const message = messageOf(failures[0]!)
    if (message !== "") sink.text(2, "message", message.slice(0, maxLength))
    sink.uint32(3, "code", statusError)
    sink.close(status)
  }
  const origin = parentSpan?._tag === "ExternalSpan" ? isRemote : 0
  sink.fixed32(16, "flags", hasIsRemote | origin | (span.sampled ? 1 : 0))
  sink.close(mark)
}

/** More failures of one cause are not written. */
const maxFailures = 8

/** Returns the id of the trace of a span. Ids of other systems may have half the length. */
export const traceIdOf = ({ traceId }: { readonly traceId: string }): string =>
  traceId.length === 32 ? traceId : traceId.padStart(32, "0")

const writeEvent = (sink: Sink, event: SpanEvent, maxLength: number): void => {
  const mark = sink.item(11, unbounded)
  sink.fixed64(1, "timeUnixNano", event.time)
  sink.text(2, "name", event.name)
  Values.attributes(sink, 3, event.attributes, maxLength)
  sink.close(mark)
}

const writeLink = (sink: Sink, { attributes, span }: SpanLink, maxLength: number): void => {
  const mark = sink.item(13, unbounded)
  sink.id(1, "traceId", traceIdOf(span))
  sink.id(2, "spanId", span.spanId)
  Values.attributes(sink, 4, Object.entries(attributes).flat(), maxLength)
  sink.close(mark)
}

type Failure = Cause.Die | Cause.Fail<unknown>

const isFailure = (reason: Cause.Reason<unknown>): reason is Failure => reason._tag !== "Interrupt"

const thrownBy = (failure: Failure): unknown =>
  failure._tag === "Fail" ? failure.error : failure.defect

const messageOf = (failure: Failure): string => {
  const thrown = thrownBy(failure)
  const message = hasMessage(thrown) ? thrown.message : thrown
  return typeof message === "string" ? message : ""
}

const hasMessage = (thrown: unknown): thrown is { readonly message: unknown } =>
  typeof thrown === "object" && thrown !== null && "message" in thrown

/**
 * Returns the attributes of the event of a failure, and none for a failure that is no object: its
 * text is the status. Only a defect has its stack, because making one takes long.
 */
const exceptionOf = (failure: Failure): ReadonlyArray<unknown> => {
  const thrown = thrownBy(failure)
  if (typeof thrown !== "object" || thrown === null) return []
  const { _tag: tag, name } = thrown as { readonly _tag?: unknown; readonly name?: unknown }
  const type = [tag, name].find((text) => typeof text === "string" && text !== "") ?? "Error"
  const attributes: Array<unknown> = ["exception.type", type]
  attributes.push("exception.message", messageOf(failure))
  if (failure._tag === "Die") {
    const { stack } = toldOf(failure)
    if (stack !== undefined) attributes.push("exception.stacktrace", stack)
  }
  return attributes
}
