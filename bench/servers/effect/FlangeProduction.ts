import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { ApiError, App, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"
import * as Cors from "flange/Cors"
import * as Logging from "flange/Logging"
import * as RateLimit from "flange/RateLimit"
import * as SecureHeaders from "flange/SecureHeaders"
import { accessLog } from "../support/Arguments.ts"
import { createItem, findItem, jwt, origin, rateLimit, scopes } from "../support/Contract.ts"
import { secureHeaders } from "../support/SecureHeaders.ts"
import { Ready, server } from "./FlangeHost.ts"
import { Item, NewItem } from "./ItemSchemas.ts"

class ItemNotFound extends ApiError.make<ItemNotFound>()(
  "ItemNotFound",
  { code: "ITEM_NOT_FOUND", detail: ({ id }) => `Item ${id} does not exist`, status: 404 },
  { id: Schema.Int }
) {}

class ItemsApi extends HttpApiGroup.make("items").add(
  HttpApiEndpoint.post("create", "/v1/items", {
    payload: NewItem,
    success: Item.pipe(HttpApiSchema.status(201))
  }).middleware(Auth.requireScopes(scopes.write)),
  HttpApiEndpoint.get("read", "/v1/items/:id", {
    error: ItemNotFound,
    params: { id: Schema.Int },
    success: Item
  }).middleware(Auth.requireScopes(scopes.read))
) {}

const Items = Plugin.make("bench:items", {
  routes: [
    Route.protected(ItemsApi, (handlers) =>
      handlers.handleAll({
        create: ({ payload }) => Effect.succeed(createItem(payload)),
        read: ({ params }) => {
          const item = findItem(params.id)
          return item === undefined
            ? Effect.fail(new ItemNotFound({ id: params.id }))
            : Effect.succeed(item)
        }
      })
    )
  ]
})

const AuthPlugin = Auth.plugin({
  default: Auth.chain([
    Auth.jwt(
      {
        audience: jwt.audience,
        issuer: jwt.issuer,
        keys: Auth.secret(Redacted.make(jwt.secret))
      },
      { mapper: Auth.oauthClaims }
    )
  ])
})

export const production = App.make(
  "bench",
  [Logging.plugin, SecureHeaders.plugin, Cors.plugin, AuthPlugin, RateLimit.plugin, Items, Ready],
  {
    config: {
      environment: "production",
      values: {
        cors: { origins: [origin] },
        logging: { format: "json", level: accessLog === "off" ? "warn" : "info" },
        rateLimit: { limit: rateLimit.max, window: rateLimit.windowMillis },
        // As behind https, where helmet's peers send it too.
        secureHeaders: { hsts: secureHeaders["strict-transport-security"] },
        server
      }
    }
  }
)
