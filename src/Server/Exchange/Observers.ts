/** Observers: functions that are told of each reply and change nothing. */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { logFailure } from "./FailureLog.ts"
import type { Fields } from "./RequestFields.ts"

/** What an observer is told of a request. */
export interface Observed {
  /** Milliseconds since the request came. */
  readonly elapsed: () => number
  /** What was learned of the request on its way; see `RequestFields`. */
  readonly fields: Fields
  readonly method: string
  readonly requestId: string
  /** Path and query. */
  readonly target: string
}

/**
 * Is told of every reply as soon as its status is known: 499 if the client went
 * away before it, 503 if the drain cut the request off. What it throws, or
 * rejects with, is logged as an error and changes nothing.
 */
export type Observe = (request: Observed, status: number) => void

/** Tells each observer of a reply. */
export const tell = (
  observers: ReadonlyArray<Observe>,
  request: Observed,
  status: number,
  context: Context.Context<never>
): void => {
  for (const observe of observers) {
    try {
      // An asynchronous function is an observer too: its type is that of `Observe`.
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
