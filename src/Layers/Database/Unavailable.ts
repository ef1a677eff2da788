/** The answer to a request that the database could not serve. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { hasProperty } from "effect/Predicate"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { ServiceUnavailable } from "../../Contract/Catalogue.ts"

/** Seconds; the pool or the server may be back by then, and clients add their own jitter. */
const retryAfter = "1"

/** Errors that wrap others are followed so far. */
const deepest = 8

/** The lost or refused connection behind a failure, if that is what is behind it. */
const lostIn = (error: unknown): SqlError | undefined => {
  let current = error
  for (let depth = 0; depth < deepest; depth++) {
    if (isSqlError(current)) {
      return current.reason._tag === "ConnectionError" ? current : undefined
    }
    if (!hasProperty(current, "cause")) return undefined
    current = current.cause
  }
  return undefined
}

/** The lost or refused connection behind a cause: the pool was exhausted, or the database is down. */
export const lostBehind = (cause: Cause.Cause<unknown>): SqlError | undefined => {
  for (const reason of cause.reasons) {
    if (reason._tag === "Interrupt") continue
    const lost = lostIn(reason._tag === "Fail" ? reason.error : reason.defect)
    if (lost !== undefined) return lost
  }
  return undefined
}

/**
 * Ends in the 503 problem of the catalogue with `Retry-After`, and logs what
 * happened: the client learns nothing of the database. It is a defect, since
 * only the server itself knows how to answer with a response as a failure.
 */
export const answer = (lost: SqlError, cause: Cause.Cause<unknown>): Effect.Effect<never> =>
  Effect.logError(`The database is not available: ${lost.message}`, cause).pipe(
    Effect.andThen(HttpServerRespondable.toResponse(new ServiceUnavailable())),
    Effect.flatMap((response) =>
      Effect.die(HttpServerResponse.setHeader(response, "retry-after", retryAfter))
    )
  )

/** Turns the failures of a handler that are the database's into 503; others stay. */
export const answered = <A, E, R>(handler: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.catchCause(handler, (cause) => {
    const lost = Cause.hasInterruptsOnly(cause) ? undefined : lostBehind(cause)
    return lost === undefined ? Effect.failCause(cause) : answer(lost, cause)
  })
