/** A span of the tracer. */
import type * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import * as TraceIds from "../../../Server/Exchange/TraceIds.ts"
import type { EndedSpan, SpanEvent } from "../Otlp/SpanRecord.ts"

/** What a tracer needs to make a span. */
export type SpanOptions = Parameters<Tracer.Tracer["span"]>[0]

/** The most that a span keeps. */
export interface SpanLimits {
  readonly attributes: number
  readonly events: number
  readonly links: number
  /** The longest text of an attribute, in UTF-16 units. */
  readonly valueLength: number
}

/** Takes the spans of a trace that have ended. */
export interface Trace {
  readonly end: (span: RecordedSpan) => void
  readonly limits: SpanLimits
  /** Returns a new trace id. */
  readonly traceId: (isSampled: boolean) => string
}

const none: ReadonlyArray<never> = []

/** A span. Its ids are made when they are first read. */
export class RecordedSpan implements EndedSpan {
  readonly _tag = "Span"
  readonly annotations: Context.Context<never>
  droppedAttributes = 0
  droppedEvents = 0
  droppedLinks = 0
  endTime = 0n
  readonly entries: Array<unknown> = []
  events: ReadonlyArray<SpanEvent> = none
  exit: Exit.Exit<unknown, unknown> = Exit.void
  readonly kind: Tracer.SpanKind
  links: Array<Tracer.SpanLink>
  readonly name: string
  readonly parent: Option.Option<Tracer.AnySpan>
  readonly sampled: boolean
  readonly startTime: bigint
  readonly trace: Trace
  #isOver = false
  #spanId: string | undefined
  #traceId: string | undefined

  constructor(options: SpanOptions, sampled: boolean, trace: Trace) {
    this.annotations = options.annotations
    this.kind = options.kind
    this.links = options.links
    this.name = options.name
    this.parent = options.parent
    this.sampled = sampled
    this.startTime = options.startTime
    this.trace = trace
  }

  get attributes(): ReadonlyMap<string, unknown> {
    const attributes = new Map<string, unknown>()
    const { entries } = this
    for (let i = 0; i < entries.length; i += 2) attributes.set(String(entries[i]), entries[i + 1])
    return attributes
  }

  get parentSpan(): Tracer.AnySpan | undefined {
    return Option.getOrUndefined(this.parent)
  }

  get spanId(): string {
    return (this.#spanId ??= TraceIds.span())
  }

  get status(): Tracer.SpanStatus {
    const { endTime, exit, startTime } = this
    return this.#isOver
      ? { _tag: "Ended", endTime, exit, startTime }
      : { _tag: "Started", startTime }
  }

  get traceId(): string {
    return (this.#traceId ??= this.parentSpan?.traceId ?? this.trace.traceId(this.sampled))
  }

  addLinks(links: ReadonlyArray<Tracer.SpanLink>): void {
    if (this.#isOver) return
    const kept = [...this.links, ...links].slice(0, this.trace.limits.links)
    this.droppedLinks += this.links.length + links.length - kept.length
    this.links = kept
  }

  attribute(key: string, value: unknown): void {
    if (this.#isOver) return
    const { entries } = this
    const { attributes, valueLength } = this.trace.limits
    // A long text is not kept until the span ends.
    const kept =
      typeof value === "string" && value.length > valueLength ? value.slice(0, valueLength) : value
    for (let i = 0; i < entries.length; i += 2) {
      if (entries[i] === key) {
        entries[i + 1] = kept
        return
      }
    }
    if (entries.length >= attributes * 2) this.droppedAttributes++
    else entries.push(key, kept)
  }

  end(endTime: bigint, exit: Exit.Exit<unknown, unknown>): void {
    if (this.#isOver) return
    this.#isOver = true
    this.endTime = endTime
    this.exit = exit
    this.trace.end(this)
  }

  event(name: string, time: bigint, attributes: Record<string, unknown> = {}): void {
    if (this.#isOver) return
    const { limits } = this.trace
    if (this.events.length >= limits.events) {
      this.droppedEvents++
      return
    }
    const entries = Object.entries(attributes).slice(0, limits.attributes)
    this.events = [...this.events, { attributes: entries.flat(), name, time }]
  }
}
