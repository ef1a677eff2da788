/** The prefix of an app's keys and channels. */
import * as Effect from "effect/Effect"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"

/** Returns the prefix: the configured one or the id of the app, with a colon. */
export const prefixOf = (configured: string | undefined): Effect.Effect<string> =>
  Effect.map(Effect.serviceOption(AppRuntime), (app) => {
    // Without an app the layer is used alone, for example in a script.
    const id = app._tag === "Some" ? app.value.id : "app"
    return `${configured ?? id}:`
  })
