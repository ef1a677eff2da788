/** Logs at start how to get a token, in the environment `local` only. */
import * as Effect from "effect/Effect"
import { Plugin } from "flange"

export const TokenHintPlugin = Plugin.make("app:token-hint", {
  ready: ({ environment }) =>
    environment === "local"
      ? Effect.logInfo(
          "Get a token: npm run -s example:recipe -- token alice --scopes orders:write"
        )
      : Effect.void
})
