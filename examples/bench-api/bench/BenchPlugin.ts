/** The plugin of the endpoints. */
import * as Effect from "effect/Effect"
import { Plugin, Route } from "flange"
import { BenchApi } from "./BenchApi.ts"

export const BenchPlugin = Plugin.make("app:bench", {
  routes: [
    Route.public(BenchApi, (handlers) =>
      handlers.handleAll({
        echo: ({ payload }) => Effect.succeed(payload),
        json: () => Effect.succeed({ count: 42, message: "hello" }),
        noop: () => Effect.void
      })
    )
  ]
})
