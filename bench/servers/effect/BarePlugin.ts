/** The endpoints of `bare`, as a plugin. */
import * as Effect from "effect/Effect"
import { Plugin, Route } from "flange"
import { hello, user } from "../support/Contract.ts"
import { BareApi } from "./BareApi.ts"

export const Bare = Plugin.make("bench:bare", {
  routes: [
    Route.public(BareApi, (handlers) =>
      handlers.handleAll({
        echo: ({ payload }) => Effect.succeed(payload),
        json: () => Effect.succeed(hello),
        user: ({ params, query }) => Effect.succeed(user(params.id, query.verbose))
      })
    )
  ]
})
