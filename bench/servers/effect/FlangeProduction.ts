import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { ApiError, App, Catalogue, CurrentIdentity, Plugin, Route } from "../../../src/index.ts"
import * as Logging from "../../../src/Layers/Logging/index.ts"
import { accessLog } from "../support/Arguments.ts"
import { createItem, findItem, scopes } from "../support/Contract.ts"
import { Ready, server } from "./FlangeHost.ts"
import { StandIns } from "./FlangeStandIns.ts"
import { Item, NewItem } from "./ItemSchemas.ts"

class ItemNotFound extends ApiError.make<ItemNotFound>()(
  "ItemNotFound",
  { code: "ITEM_NOT_FOUND", detail: ({ id }) => `Item ${id} does not exist`, status: 404 },
  { id: Schema.Int }
) {}

class ItemsApi extends HttpApiGroup.make("items").add(
  HttpApiEndpoint.get("read", "/v1/items/:id", {
    error: [Catalogue.Forbidden, ItemNotFound],
    params: { id: Schema.Int },
    success: Item
  }),
  HttpApiEndpoint.post("create", "/v1/items", {
    error: Catalogue.Forbidden,
    payload: NewItem,
    success: Item.pipe(HttpApiSchema.status(201))
  })
) {}

const requireScope = (scope: string) =>
  Effect.flatMap(CurrentIdentity, (identity) =>
    identity.scopes.has(scope) ? Effect.void : Effect.fail(new Catalogue.Forbidden())
  )

const Items = Plugin.make("bench:items", {
  routes: [
    Route.protected(ItemsApi, (handlers) =>
      handlers.handleAll({
        create: ({ payload }) => Effect.as(requireScope(scopes.write), createItem(payload)),
        read: ({ params }) =>
          Effect.flatMap(requireScope(scopes.read), () => {
            const item = findItem(params.id)
            return item === undefined
              ? Effect.fail(new ItemNotFound({ id: params.id }))
              : Effect.succeed(item)
          })
      })
    )
  ]
})

export const production = App.make("bench", [Logging.plugin, StandIns, Items, Ready], {
  config: {
    environment: "production",
    values: { logging: { format: "json", level: accessLog === "off" ? "warn" : "info" }, server }
  }
})
