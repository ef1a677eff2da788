/** The 503 reply for a request that failed because the database is not available. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { ServiceUnavailable } from "../../../Contract/Catalogue.ts"
import { Answer } from "../../../Server/Exchange/Answer.ts"

/** Seconds after which a client may try again. Clients add jitter of their own. */
const retryAfter = "1"

/** How many nested causes are searched. */
const deepest = 8

/** Returns the connection error that `error` is or wraps, if there is one. */
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

/**
 * Returns the connection error in a cause, if there is one: the pool is exhausted, or
 * the database is down.
 */
export const lostBehind = (cause: Cause.Cause<unknown>): SqlError | undefined => {
  for (const reason of cause.reasons) {
    if (reason._tag === "Interrupt") continue
    const lost = lostIn(reason._tag === "Fail" ? reason.error : reason.defect)
    if (lost !== undefined) return lost
  }
  return undefined
}

/**
 * Dies with the 503 of the catalogue and `Retry-After`. The cause is only logged, so
 * that clients learn nothing about the database.
 */
export const answer = (lost: SqlError, cause: Cause.Cause<unknown>): Effect.Effect<never> =>
  Effect.andThen(
    Effect.logError(`The database is not available: ${lost.message}`, cause),
    Effect.die(
      new Answer({ error: new ServiceUnavailable(), headers: { "retry-after": retryAfter } })
    )
  )

/** Runs a handler and turns its connection errors into 503. Other failures stay. */
export const answered = <A, E, R>(handler: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.catchCause(handler, (cause) => {
    const lost = Cause.hasInterruptsOnly(cause) ? undefined : lostBehind(cause)
    return lost === undefined ? Effect.failCause(cause) : answer(lost, cause)
  })
