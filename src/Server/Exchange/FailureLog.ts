/** Log lines of failures in user code, which may throw any value. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"

/**
 * Logs a failure as an error with its whole cause. Never fails: if a logger throws while
 * it reads the cause, a line without it is logged.
 */
export const logFailure = (message: string, cause: Cause.Cause<unknown>): Effect.Effect<void> =>
  Effect.logError(message, cause).pipe(
    Effect.catchCause(() => Effect.logError(message, unreadable)),
    Effect.catchCause(() => Effect.void)
  )

const unreadable = Cause.die(new Error("What was thrown cannot be read"))
