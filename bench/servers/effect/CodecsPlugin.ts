/** The endpoints of `codecs.ts`, as a plugin. */
import * as Effect from "effect/Effect"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import { Plugin, Route } from "flange"
import { createItem, findItem } from "../support/Contract.ts"
import { CodecsApi } from "./CodecsApi.ts"

const item = findItem(1)!

export const Codecs = Plugin.make("bench:codecs", {
  routes: [
    Route.public(CodecsApi, (handlers) =>
      handlers.handleAll({
        form: ({ payload }) => Effect.succeed(createItem({ ...payload, tags: [] })),
        json: () => Effect.succeed(item),
        located: () =>
          Effect.succeed(
            HttpApiSchema.withHeaders({ body: item, headers: { location: "/v1/items/1" } })
          ),
        payload: ({ payload }) => Effect.succeed(createItem(payload)),
        text: () => Effect.succeed(item.name),
        types: ({ payload }) => Effect.succeed(createItem(payload))
      })
    )
  ]
})
