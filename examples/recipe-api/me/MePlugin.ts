/** Tells callers whom they are taken for. */
import * as Effect from "effect/Effect"
import { Plugin, Route } from "flange"
import { MeApi } from "./MeApi.ts"

export const MePlugin = Plugin.make("app:me", {
  routes: [
    Route.protected(MeApi, (handlers) =>
      handlers.handleAll({
        read: ({ identity }) =>
          Effect.succeed({
            authMethod: identity.method,
            isPrivileged: identity.isPrivileged,
            isServiceAccount: identity.isServiceAccount,
            scopes: [...identity.scopes].sort(),
            subject: identity.subject
          })
      })
    )
  ]
})
