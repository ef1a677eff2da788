/** The plugin of the public endpoint that converts text to capital letters. */
import * as Effect from "effect/Effect"
import { Plugin, Route } from "flange"
import { StringsApi } from "./StringsApi.ts"

export const StringsPlugin = Plugin.make("app:strings", {
  routes: [
    Route.public(StringsApi, (handlers) =>
      handlers.handleAll({
        upper: ({ query: { text } }) =>
          Effect.succeed({ original: text, upper: text.trim().toUpperCase() })
      })
    )
  ]
})
