/** The end of the process that runs an app, as a plugin can ask for it. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/**
 * Begins to stop the process, as SIGTERM does: the app drains and is released. It does not wait for that.
 * Undefined if the app is not the main program of its process: whoever booted the app then ends it.
 */
export const Shutdown: Context.Reference<Effect.Effect<void> | undefined> = Context.Reference<
  Effect.Effect<void> | undefined
>("flange/Shutdown", { defaultValue: () => undefined })
