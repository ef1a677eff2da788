/** The reply to a request that exceeded its time limit, and its log line. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import { GatewayTimeout } from "../../Contract/Catalogue.ts"
import * as Problem from "./Problem.ts"
import type { Report } from "./TimeLimit.ts"

/** The parts of an exchange that its reply needs. */
interface About extends Problem.About {
  /** Undefined if the exchange has not read it. */
  readonly body: unknown
  readonly hasBody: boolean
}

/**
 * Logs what a request did until its limit, and returns the 504. `cause` is that of its fiber; undefined if
 * the fiber still runs. The connection closes if the client may still be sending a body.
 */
export const make = (
  { activity, elapsed, spent }: Report,
  cause: Cause.Cause<unknown> | undefined,
  about: About
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  const rounded = Object.fromEntries(
    Object.entries(spent).map(([name, millis]) => [name, Math.round(millis)])
  )
  const error = new GatewayTimeout({ activity, spent: rounded })
  const reply = Problem.render(error, about)
  const mayBeSending = about.hasBody && about.body === undefined
  const rest = cause === undefined ? ". Its handler does not stop, and was left running" : ""
  const message = `The request was not completed in ${Duration.format(Duration.millis(Math.round(elapsed)))}: its time ended in ${activity}${rest}`
  const hasFailed = cause !== undefined && !Cause.hasInterruptsOnly(cause)
  return Effect.logWarning(message, ...(hasFailed ? [cause] : [])).pipe(
    Effect.annotateLogs({ activity, spent: rounded }),
    Effect.andThen(mayBeSending ? Problem.closing(reply) : reply)
  )
}
