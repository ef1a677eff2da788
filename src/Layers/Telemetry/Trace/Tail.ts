/** Keeps traces with an error, and slow ones, although they were not sampled. */
import * as Cause from "effect/Cause"
import type { RecordedSpan, SpanLimits, Trace } from "./RecordedSpan.ts"

/** Which traces are kept, and how many spans may wait for that decision. */
export interface TailOptions {
  readonly errors: boolean
  /** The most spans that wait, of all traces together. */
  readonly maxSpans: number
  /** In nanoseconds; undefined if no trace is kept for its duration. */
  readonly slowerThan: bigint | undefined
}

/**
 * Holds the spans of traces that are not sampled until the first span of the trace in this service
 * ends. Then it exports them or forgets them. If too many spans wait, it forgets the oldest trace.
 */
export class Tail {
  readonly limits: SpanLimits
  readonly #export: (span: RecordedSpan) => void
  readonly #onForgotten: (spans: number) => void
  readonly #options: TailOptions
  #spans = 0
  readonly #traceId: Trace["traceId"]
  /** The traces with spans that wait, the oldest first. */
  readonly #waiting = new Set<HeldTrace>()

  /** `sampled` exports the spans of a sampled trace. `onForgotten` counts spans without a decision. */
  constructor(sampled: Trace, options: TailOptions, onForgotten: (spans: number) => void) {
    this.limits = sampled.limits
    this.#export = sampled.end
    this.#onForgotten = onForgotten
    this.#options = options
    this.#traceId = sampled.traceId
  }

  /** Returns a trace whose first span is about to begin. */
  begin(): HeldTrace {
    return new HeldTrace(this, this.#traceId)
  }

  /** Holds a span that has ended. */
  hold(trace: HeldTrace, span: RecordedSpan): void {
    this.#waiting.add(trace)
    trace.spans.push(span)
    this.#spans++
    if (this.#spans <= this.#options.maxSpans) return
    const [oldest] = this.#waiting
    if (oldest === undefined) return
    this.#onForgotten(this.#release(oldest).length)
    oldest.state = "forgotten"
  }

  /** Decides about a trace whose first span has ended. */
  decide(trace: HeldTrace, root: RecordedSpan): void {
    const { errors, slowerThan } = this.#options
    const spans = this.#release(trace)
    const isSlow = slowerThan !== undefined && root.endTime - root.startTime > slowerThan
    trace.state = isSlow || (errors && hasFailed(root)) ? "kept" : "forgotten"
    if (trace.state === "forgotten") return
    for (const span of spans) this.#export(span)
    this.#export(root)
  }

  /** Exports a span of a trace that is kept, which ended after the first span of the trace. */
  export(span: RecordedSpan): void {
    this.#export(span)
  }

  #release(trace: HeldTrace): ReadonlyArray<RecordedSpan> {
    this.#waiting.delete(trace)
    this.#spans -= trace.spans.length
    const { spans } = trace
    trace.spans = []
    return spans
  }
}

/** A trace that is exported if its first span fails or is slow. */
export class HeldTrace implements Trace {
  readonly limits: SpanLimits
  /** The first span of the trace in this service. */
  root: RecordedSpan | undefined
  spans: Array<RecordedSpan> = []
  state: "forgotten" | "kept" | "open" = "open"
  readonly traceId: Trace["traceId"]
  readonly #tail: Tail

  constructor(tail: Tail, traceId: Trace["traceId"]) {
    this.#tail = tail
    this.limits = tail.limits
    this.traceId = traceId
  }

  end(span: RecordedSpan): void {
    if (this.state === "forgotten") return
    if (this.state === "kept") this.#tail.export(span)
    else if (span === this.root) this.#tail.decide(this, span)
    else this.#tail.hold(this, span)
  }
}

/** Returns whether a span ended with a failure. An interruption is none. */
const hasFailed = ({ exit }: RecordedSpan): boolean =>
  exit._tag === "Failure" && !Cause.hasInterruptsOnly(exit.cause)
