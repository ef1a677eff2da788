/** The plugin of the items: repository, migrations and handlers. */
import * as Effect from "effect/Effect"
import { SqlClient } from "effect/sql/SqlClient"
import { Plugin, Route } from "flange"
import { Created } from "flange/Contract"
import { ItemsApi } from "./ItemsApi.ts"
import { ItemsRepo } from "./ItemsRepo.ts"

const ItemsRoutes = Route.public(ItemsApi, (handlers) =>
  Effect.gen(function* () {
    const items = yield* ItemsRepo
    return handlers.handleAll({
      create: Effect.fnUntraced(function* ({ payload }) {
        const item = yield* items.create(payload)
        return Created.at(`/v1/items/${item.id}`, item)
      }),
      list: ({ query }) => items.list(query),
      read: ({ params }) => items.read(params.id),
      remove: ({ params }) => items.remove(params.id),
      replace: ({ params, payload }) => items.replace(params.id, payload),
      update: ({ params, payload }) => items.update(params.id, payload)
    })
  })
)

export const ItemsPlugin = Plugin.make("app:items", {
  layer: ItemsRepo.layer,
  migrations: new URL("../migrations", import.meta.url),
  provides: [ItemsRepo],
  requires: [SqlClient],
  routes: [ItemsRoutes]
})
