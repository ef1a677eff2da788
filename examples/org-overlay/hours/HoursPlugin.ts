/** The plugin of the hours. */
import * as Effect from "effect/Effect"
import { Plugin, Route } from "flange"
import { HoursApi } from "./HoursApi.ts"

const worked = new Map([["ada", 37.5]])

export const HoursPlugin = Plugin.make("hours:hours", {
  routes: [
    Route.protected(HoursApi, (handlers) =>
      handlers.handleAll({
        read: ({ identity: { subject } }) =>
          Effect.succeed({ hours: worked.get(subject) ?? 0, subject })
      })
    )
  ]
})
