/** Log lines of failures in user code, which are written whatever was thrown. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"

/**
 * Logs a failure as an error with its whole cause. If a logger cannot show what was
 * thrown, the line has no more than that. It never fails.
 */
export const logFailure = (message: string, cause: Cause.Cause<unknown>): Effect.Effect<void> =>
  Effect.logError(message, cause).pipe(
    Effect.catchCause(() => Effect.logError(message, unreadable)),
    Effect.catchCause(() => Effect.void)
  )

const unreadable = Cause.die(new Error("What was thrown cannot be read"))
