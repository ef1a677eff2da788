/** A tracer whose exporter is memory. */
import * as Layer from "effect/Layer"
import * as Tracer from "effect/Tracer"
import { Plugin, Sampling } from "flange"

/** So many spans are kept: the memory of minutes is that of seconds. */
const capacity = 10_000

/** Traces that share of the requests, 0 to 1. */
export const plugin = (ratio: number) => {
  const exported: Array<object> = []
  let next = 0
  class ExportedSpan extends Tracer.NativeSpan {
    override end(...[endTime, exit]: Parameters<Tracer.NativeSpan["end"]>) {
      super.end(endTime, exit)
      if (!this.sampled) return
      const { attributes, kind, name, spanId, startTime, traceId } = this
      exported[next] = { attributes, endTime, exit, kind, name, spanId, startTime, traceId }
      next = (next + 1) % capacity
    }
  }
  const tracer = Tracer.make({
    span: (options) => new ExportedSpan(options)
  })
  return Plugin.make("bench:tracer", {
    layer: Layer.merge(
      Layer.succeed(Sampling, () => Math.random() < ratio),
      Layer.succeed(Tracer.Tracer, tracer)
    )
  })
}
