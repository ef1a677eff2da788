/** The answer to a request that the database could not serve. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { ServiceUnavailable } from "../../../Contract/Catalogue.ts"
import { Answer } from "../../../Server/Exchange/Answer.ts"

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
 * Dies of the 503 of the catalogue with `Retry-After`, and logs the cause: the
 * client learns nothing of the database.
 */
export const answer = (lost: SqlError, cause: Cause.Cause<unknown>): Effect.Effect<never> =>
  Effect.andThen(
    Effect.logError(`The database is not available: ${lost.message}`, cause),
    Effect.die(
      new Answer({ error: new ServiceUnavailable(), headers: { "retry-after": retryAfter } })
    )
  )

/** Turns the failures of a handler that are the database's into 503; others stay. */
export const answered = <A, E, R>(handler: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.catchCause(handler, (cause) => {
    const lost = Cause.hasInterruptsOnly(cause) ? undefined : lostBehind(cause)
    return lost === undefined ? Effect.failCause(cause) : answer(lost, cause)
  })
