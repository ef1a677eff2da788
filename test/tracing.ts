/** A tracer that keeps its spans, and the spans as the tests compare them. */
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { Plugin, type Sample, Sampling } from "flange"

/** A span that counts how often it was ended. */
export class KeptSpan extends Tracer.NativeSpan {
  ends = 0

  override end(...[endTime, exit]: Parameters<Tracer.NativeSpan["end"]>): void {
    this.ends++
    super.end(endTime, exit)
  }
}

/** The spans that a tracer has made. */
export interface Kept {
  /** Returns the span with this name. Throws if there is none, or several. */
  readonly named: (name: string) => KeptSpan
  readonly plugin: ReturnType<typeof pluginOf>
  readonly spans: Array<KeptSpan>
  readonly tracer: Tracer.Tracer
}

const pluginOf = (tracer: Tracer.Tracer, sample: Sample | undefined) =>
  Plugin.make("test:tracing", {
    layer: Layer.merge(
      Layer.succeed(Tracer.Tracer, tracer),
      sample === undefined ? Layer.empty : Layer.succeed(Sampling, sample)
    )
  })

/** Creates a plugin with a tracer that keeps its spans. */
export const kept = (sample?: Sample): Kept => {
  const spans: Array<KeptSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new KeptSpan(options)
      spans.push(span)
      return span
    }
  })
  return {
    named: (name) => {
      const [found, ...others] = spans.filter((span) => span.name === name)
      if (found === undefined || others.length > 0) {
        throw new Error(`${name}: the spans are ${spans.map((span) => span.name).join(", ")}`)
      }
      return found
    },
    plugin: pluginOf(tracer, sample),
    spans,
    tracer
  }
}

/** Returns the attributes of a span as an object. */
export const attributesOf = (span: Tracer.Span): Record<string, unknown> =>
  Object.fromEntries(span.attributes)

/** Returns the id of the parent of a span; undefined if it has none. */
export const parentOf = (span: Tracer.Span): string | undefined =>
  Option.getOrUndefined(span.parent)?.spanId

/** Returns the failure with which a span ended; undefined if it ended well or has not ended. */
export const failureOf = ({ status }: Tracer.Span) =>
  status._tag === "Ended" && status.exit._tag === "Failure" ? status.exit.cause : undefined
