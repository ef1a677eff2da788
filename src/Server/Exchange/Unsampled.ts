/**
 * The trace of a request that is not sampled. It has ids, which log lines and outgoing calls
 * carry, and no span is kept.
 */
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import type * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import * as TraceIds from "./TraceIds.ts"

/**
 * The place of a request in a trace that is not sampled. Its ids are made when they are first
 * read, so that a request pays for them only if it logs or calls another service.
 */
export class Unsampled implements Tracer.ExternalSpan {
  readonly _tag = "ExternalSpan"
  readonly #parent: Tracer.ExternalSpan | undefined
  readonly sampled = false
  #spanId: string | undefined
  #traceId: string | undefined

  constructor(parent: Tracer.ExternalSpan | undefined) {
    this.#parent = parent
  }

  get annotations(): Context.Context<never> {
    return this.#parent?.annotations ?? Context.empty()
  }

  get spanId(): string {
    return (this.#spanId ??= TraceIds.span())
  }

  get traceId(): string {
    return this.#parent?.traceId ?? (this.#traceId ??= TraceIds.trace())
  }
}

type Options = Parameters<Tracer.Tracer["span"]>[0]

const ended: Tracer.SpanStatus = { _tag: "Ended", endTime: 0n, exit: Exit.void, startTime: 0n }

const noAttributes: ReadonlyMap<string, unknown> = new Map()

const noLinks: ReadonlyArray<Tracer.SpanLink> = []

/** A span inside such a request: ids, and nothing else. */
class UnsampledSpan implements Tracer.Span {
  readonly _tag = "Span"
  readonly annotations: Context.Context<never>
  readonly attributes = noAttributes
  readonly kind: Tracer.SpanKind
  readonly links = noLinks
  readonly name: string
  readonly parent: Option.Option<Tracer.AnySpan>
  readonly sampled = false
  readonly status = ended
  #spanId: string | undefined
  #traceId: string | undefined

  constructor({ annotations, kind, name, parent }: Options) {
    this.annotations = annotations
    this.kind = kind
    this.name = name
    this.parent = parent
  }

  get spanId(): string {
    return (this.#spanId ??= TraceIds.span())
  }

  get traceId(): string {
    return this.parent._tag === "Some"
      ? this.parent.value.traceId
      : (this.#traceId ??= TraceIds.trace())
  }

  addLinks(): void {}

  attribute(): void {}

  end(): void {}

  event(): void {}
}

/**
 * The tracer of such requests. Effect's own way to switch spans off, `References.TracerEnabled`,
 * would send `noop` as the id of a trace to other services.
 */
export const tracer: Tracer.Tracer = Tracer.make({ span: (options) => new UnsampledSpan(options) })
