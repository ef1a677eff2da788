/** Tells callers whom they are taken for. */
import { CurrentIdentity, Plugin, Route } from "flange"
import { MeApi } from "./MeApi.ts"

export const MePlugin = Plugin.make("app:me", {
  routes: [
    Route.protected(MeApi, (handlers) =>
      handlers.handleAll({
        read: () =>
          CurrentIdentity.useSync(
            ({ isPrivileged, isServiceAccount, method, scopes, subject }) => ({
              authMethod: method,
              isPrivileged,
              isServiceAccount,
              scopes: [...scopes].sort(),
              subject
            })
          )
      })
    )
  ]
})
