// An app with an admin port: health checks, actions that succeed and fail, contributed routes, secrets.
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import {
  Action,
  AdminRoute,
  ApiError,
  App,
  Config,
  ConsolePanel,
  HealthCheck,
  Plugin,
  Route
} from "flange"
import * as Admin from "flange/Admin"
import * as Health from "flange/Health"

export class TooMany extends ApiError.make<TooMany>()(
  "TooMany",
  { code: "TOO_MANY", detail: ({ most }) => `At most ${most}`, status: 409 },
  { most: Schema.Int }
) {}

export const Fill = Action.make("fill", {
  error: TooMany,
  payload: Schema.Struct({ count: Schema.Int }),
  success: Schema.Struct({ entries: Schema.Int })
})

export const Sweep = Action.make("sweep")

export const secrets = ["hunter2-hunter2-hunter2", "postgres-pass-word", "tok-en-of-the-mailer"]

export const ShelfConfig = Config.section(
  "shelf",
  {
    mailer: Config.Secret,
    password: Config.Secret,
    size: Schema.Int.pipe(Config.withDefault(10)),
    tokens: Schema.Array(Config.Secret)
  },
  { variables: { SHELF_PASSWORD: "password" } }
)

class Shelf extends Context.Service<Shelf, { entries: number }>()("test/Shelf") {}

const ItemsApi = HttpApiGroup.make("items").add(
  HttpApiEndpoint.get("list", "/items", { success: Schema.Array(Schema.String) })
)

export const ShelfPlugin = Plugin.make("test:shelf", {
  actions: [
    Action.implement(
      Fill,
      Effect.fnUntraced(function* ({ count }) {
        const { size } = yield* ShelfConfig
        if (count > size) return yield* new TooMany({ most: size })
        const shelf = yield* Shelf
        shelf.entries = count
        return { entries: count }
      })
    ),
    Action.implement(Sweep, () => Shelf.useSync((shelf) => void (shelf.entries = 0)))
  ],
  config: [ShelfConfig],
  contributes: [
    AdminRoute.make(
      "shelf",
      { description: "Entries of the shelf", method: "GET", path: "/shelf" },
      Shelf.useSync(({ entries }) => HttpServerResponse.jsonUnsafe({ entries }))
    ),
    AdminRoute.make(
      "set-shelf",
      { description: "Sets an entry of the shelf", method: "PUT", path: "/shelf/:slot" },
      Effect.gen(function* () {
        const { slot } = yield* HttpRouter.params
        const body = yield* HttpServerRequest.schemaBodyJson(Schema.Struct({ text: Schema.String }))
        if (body.text === "") return yield* new TooMany({ most: 0 })
        return HttpServerResponse.jsonUnsafe({ slot, ...body })
      })
    ),
    ConsolePanel.make("shelf", { data: "/shelf", page: { html: "<p>" }, title: "Shelf" })
  ],
  health: {
    disk: HealthCheck.make(Effect.void, { class: "critical" }),
    mail: HealthCheck.make(Effect.fail("closed"))
  },
  layer: Layer.sync(Shelf, () => ({ entries: 3 })),
  provides: [Shelf],
  routes: [
    Route.public(ItemsApi, (handlers) =>
      handlers.handleAll({ list: () => Effect.succeed(["one"]) })
    )
  ]
})

export const values = {
  app: { name: "Shelf", version: "1.2.3" },
  shelf: { mailer: secrets[2], password: secrets[0], tokens: [secrets[1]] }
}

export const app = App.make("shelf", [Health.plugin, Admin.plugin, ShelfPlugin])
