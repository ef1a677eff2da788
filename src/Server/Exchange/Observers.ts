/** Observers: functions that are called with each reply and change nothing. */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { AnySpan } from "effect/Tracer"
import type { Incoming } from "./Before.ts"
import { logFailure } from "./FailureLog.ts"
import type { Fields } from "./RequestFields.ts"

/** The request that an observer sees. */
export interface Observed extends Pick<Incoming, "find" | "header" | "now" | "peer"> {
  /** The code of the problem document that was sent; undefined for any other reply. */
  readonly code: string | undefined
  /** Returns the milliseconds since the request arrived. */
  readonly elapsed: () => number
  /** The fields that handlers and middleware have set; see `RequestFields`. */
  readonly fields: Fields
  readonly method: string
  readonly requestId: string
  /** The bytes of the request's body; undefined if there is no body or its size is not known. */
  readonly requestSize: number | undefined
  /** The bytes of the reply's body; undefined for a stream whose length is not known. */
  readonly responseSize: number | undefined
  /** Path and query. */
  readonly target: string
  /**
   * The span of the request, or its place in a trace that is not sampled; undefined in an app
   * without a tracer, and on a bare route. If the trace is not sampled, its ids are made when they
   * are first read.
   */
  readonly trace: AnySpan | undefined
}

/**
 * Runs for every reply as soon as its status is known: 499 if the client disconnected
 * before it, 503 if the drain interrupted the request. If the function throws or its
 * promise rejects, the error is logged and the reply does not change.
 */
export type Observe = (request: Observed, status: number) => void

/** Calls each observer with a reply. */
export const tell = (
  observers: ReadonlyArray<Observe>,
  request: Observed,
  status: number,
  context: Context.Context<never>
): void => {
  for (const observe of observers) {
    try {
      // An asynchronous function is assignable to `Observe`.
      const told: unknown = observe(request, status)
      if (told instanceof Promise) told.catch((error) => log(error, request, context))
    } catch (error) {
      log(error, request, context)
    }
  }
}

const log = (error: unknown, { requestId }: Observed, context: Context.Context<never>) =>
  logFailure("An observer of a reply failed", Cause.die(error)).pipe(
    Effect.annotateLogs({ requestId }),
    Effect.runForkWith(context)
  )
