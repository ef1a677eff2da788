/** The plugin of the public endpoint that reports that the service is running. */
import * as Effect from "effect/Effect"
import { Plugin, Route } from "flange"
import { StatusApi } from "./StatusApi.ts"

export const StatusPlugin = Plugin.make("app:status", {
  routes: [
    Route.public(StatusApi, (handlers) =>
      handlers.handleAll({
        read: () => Effect.succeed({ service: "recipe-api", status: "ok" as const })
      })
    )
  ]
})
