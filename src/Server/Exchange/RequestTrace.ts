/** The trace of one request, in an app that has a tracer. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Tracer from "effect/Tracer"
import type { Incoming } from "./Before.ts"
import { logFailure } from "./FailureLog.ts"
import * as HandlerSpan from "./HandlerSpan.ts"
import type { Plan } from "./Plan.ts"
import * as Redaction from "./Redaction.ts"
import type { Fields } from "./RequestFields.ts"
import * as ServerSpan from "./ServerSpan.ts"
import type { Services } from "./Services.ts"
import type { Serving } from "./Serving.ts"
import * as TraceContext from "./TraceContext.ts"
import { Unsampled } from "./Unsampled.ts"

/** The request that a trace is of. */
export interface TracedRequest extends Incoming, ServerSpan.Traced {
  readonly plan: Pick<Plan, "endpoint" | "route">
  readonly services: Services
}

/**
 * The spans of one request. If code of the app's tracer or sampling throws, that is only logged. The
 * request then has the spans that were made before.
 */
export class RequestTrace {
  #handler: Tracer.Span | undefined
  /** The span of the request, or its place in a trace that is not sampled. */
  place: Tracer.AnySpan | undefined
  readonly #request: TracedRequest
  /** The span of the request; undefined if it is not sampled or has ended. */
  #server: Tracer.Span | undefined
  readonly #serving: Serving
  readonly #tracer: Tracer.Tracer

  constructor(request: TracedRequest, serving: Serving, tracer: Tracer.Tracer) {
    this.#request = request
    this.#serving = serving
    this.#tracer = tracer
    const { route } = request.plan
    try {
      const parent = TraceContext.fromHeaders((name) => request.header(name))
      if (serving.sample(request, route, parent)) {
        this.place = ServerSpan.begin(tracer, request, route, parent, serving.nanos())
        this.#server = this.place
      } else this.place = new Unsampled(parent)
    } catch (defect) {
      this.#failed(defect)
    }
  }

  /** The services that the request begins with. */
  get context(): Serving["context"] {
    const { context, unsampled } = this.#serving
    return this.#server === undefined ? unsampled : context
  }

  /** The parent of the spans that fibers of the request start. */
  get parent(): Tracer.AnySpan | undefined {
    return this.#handler ?? this.place
  }

  /** Sets fields of the request as attributes of its span. */
  annotate(fields: Readonly<Fields>): void {
    const span = this.#server
    if (span === undefined) return
    try {
      const redaction = Redaction.of((reference) => this.#request.get(reference))
      for (const [name, value] of Object.entries(fields)) {
        span.attribute(name, redaction.shown(name, value))
      }
    } catch (defect) {
      this.#failed(defect)
    }
  }

  /** Begins the span of the handler, if the request is sampled. It is the parent of the spans inside. */
  enter(): Tracer.Span | undefined {
    const { endpoint } = this.#request.plan
    if (this.#server === undefined || endpoint === undefined) return undefined
    try {
      this.#handler = HandlerSpan.begin(this.#tracer, endpoint, this.#server, this.#serving.nanos())
      this.#request.services.renew()
    } catch (defect) {
      this.#failed(defect)
    }
    return this.#handler
  }

  /** Ends the span of the handler. */
  leave(exit: Exit.Exit<unknown, unknown>): void {
    const span = this.#handler
    if (span === undefined) return
    this.#handler = undefined
    this.#request.services.renew()
    try {
      HandlerSpan.end(span, exit, this.#serving.nanos())
    } catch (defect) {
      this.#failed(defect)
    }
  }

  /** Ends the span of the request. Later calls do nothing. */
  end(ended: ServerSpan.Ended): void {
    const span = this.#server
    if (span === undefined) return
    this.#server = undefined
    try {
      const { plan } = this.#request
      ServerSpan.end(span, this.#request, plan.route, ended, this.#serving.nanos())
    } catch (defect) {
      this.#failed(defect)
    }
  }

  #failed(defect: unknown): void {
    Effect.runForkWith(this.#request.services.context)(
      logFailure("The tracing of a request failed", Cause.die(defect))
    )
  }
}
