/** The tracer of an app, and the sampling of its requests. */
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import type { Sample } from "../../../Server/Exchange/ServerSpan.ts"
import { RecordedSpan, type Trace } from "./RecordedSpan.ts"
import type { Sampler } from "./Sampler.ts"
import type { Tail } from "./Tail.ts"

/**
 * Creates the tracer. A span below a span of this tracer belongs to the trace of that one. For any
 * other span the sampler decides. It has decided already about the span of a request, unless a tail
 * keeps traces that are not sampled.
 */
export const make = (sampler: Sampler, sampled: Trace, tail: Tail | undefined): Tracer.Tracer => ({
  span: (options) => {
    const parent = Option.getOrUndefined(options.parent)
    if (parent instanceof RecordedSpan) {
      // A span below a sampled one is not sampled if its level is too low.
      const isLeftOut = parent.sampled && !options.sampled
      return new RecordedSpan(options, options.sampled, isLeftOut ? ignored(sampled) : parent.trace)
    }
    const isDecided = options.kind === "server" && tail === undefined
    if (isDecided || sampler.decide(parent)) return new RecordedSpan(options, true, sampled)
    if (tail === undefined) return new RecordedSpan(options, false, ignored(sampled))
    const trace = tail.begin()
    trace.root = new RecordedSpan(options, false, trace)
    return trace.root
  }
})

/** Returns a trace that exports nothing. */
const ignored = ({ limits, traceId }: Trace): Trace => ({ end: () => {}, limits, traceId })

/** Returns the decision which requests have a span. With a tail all have one. */
export const sample = (sampler: Sampler, tail: Tail | undefined): Sample =>
  tail === undefined ? (_request, _route, parent) => sampler.decide(parent) : () => true
