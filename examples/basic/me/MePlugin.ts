/**
 * The plugin that returns the user that calls. It is not part of the plugin of the users, because
 * authentication requires that one, and protected routes require authentication.
 */
import * as Effect from "effect/Effect"
import { Plugin, Route } from "flange"
import { UserId } from "../users/User.ts"
import { MeApi } from "./MeApi.ts"

export const MePlugin = Plugin.make("app:me", {
  routes: [
    Route.protected(MeApi, (handlers) =>
      handlers.handleAll({
        read: ({ identity }) =>
          Effect.succeed({ id: UserId.make(identity.subject), name: identity.displayName })
      })
    )
  ]
})
