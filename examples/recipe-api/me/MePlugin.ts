/** The plugin that returns the identity of the caller. */
import * as Effect from "effect/Effect"
import { Plugin, Route } from "flange"
import { MeApi } from "./MeApi.ts"

export const MePlugin = Plugin.make("app:me", {
  routes: [
    Route.protected(MeApi, (handlers) =>
      handlers.handleAll({
        read: ({ identity: { isPrivileged, isServiceAccount, method, scopes, subject } }) =>
          Effect.succeed({
            authMethod: method,
            isPrivileged,
            isServiceAccount,
            scopes: [...scopes].sort(),
            subject
          })
      })
    )
  ]
})
