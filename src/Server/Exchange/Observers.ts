/** Telling observers of a reply, so that what they throw changes nothing. */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Observe, Observed } from "../Route/Middleware.ts"
import * as RequestId from "./RequestId.ts"

/** Tells each observer of a reply. What one throws, or rejects with, is logged as an error. */
export const tell = (
  observers: ReadonlyArray<Observe>,
  request: Observed,
  status: number,
  context: Context.Context<never>
): void => {
  for (const observe of observers) {
    try {
      const told: unknown = observe(request, status)
      if (told instanceof Promise) told.catch((error) => log(error, request, context))
    } catch (error) {
      log(error, request, context)
    }
  }
}

const log = (error: unknown, { requestId }: Observed, context: Context.Context<never>) =>
  Effect.logError("An observer of a reply failed", Cause.die(error)).pipe(
    Effect.annotateLogs({ requestId }),
    Effect.provideService(RequestId.RequestId, requestId),
    Effect.runForkWith(context)
  )
