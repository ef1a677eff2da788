/** Log lines of failures in user code, which may throw any value. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as LogLevel from "effect/LogLevel"

/**
 * Logs a failure as an error with its whole cause. Never fails: if a logger throws while
 * it reads the cause, a line without it is logged.
 */
export const logFailure = (message: string, cause: Cause.Cause<unknown>): Effect.Effect<void> =>
  log("Error", message, cause)

/**
 * Logs an error that the contract of a route declares, with its cause: as an error if its
 * status is 500 or more, otherwise at debug, because then the client is at fault.
 */
export const logDeclared = (error: unknown, status: number, code: unknown): Effect.Effect<void> =>
  (status < 500
    ? log("Debug", "Request refused", Cause.fail(error))
    : logFailure("Request failed", Cause.fail(error))
  ).pipe(Effect.annotateLogs(code === undefined ? { status } : { code, status }))

const log = (level: LogLevel.Severity, message: string, cause: Cause.Cause<unknown>) =>
  Effect.logWithLevel(level)(message, cause).pipe(
    Effect.catchCause(() => Effect.logWithLevel(level)(message, unreadable)),
    Effect.catchCause(() => Effect.void)
  )

const unreadable = Cause.die(new Error("What was thrown cannot be read"))
