/** The app whose client the tests make, and a program that uses the client. */
export const files = {
  "app.ts": `
import { App, Preset } from "flange"
import { ShopErrors } from "./ShopErrors.ts"
import { OrdersPlugin } from "./orders/OrdersPlugin.ts"
import { UsersPlugin } from "./users/UsersPlugin.ts"

export const app = App.make("shop", [...Preset.api, OrdersPlugin, UsersPlugin], {
  config: { directory: import.meta.dirname, overrides: { server: { port: 0 } } },
  errors: ShopErrors
})
`,
  "flange.toml": '[app]\nversion = "1.4.0"\n\n[logging]\nlevel = "error"\n',
  "main.ts": `
import { App } from "flange"
import { app } from "./app.ts"

App.run(app)
`,
  "package.json": JSON.stringify({
    imports: { "#orders/*": "./orders/*.ts" },
    name: "shop-server",
    private: true,
    type: "module"
  }),
  "ShopErrors.ts": `
import * as Schema from "effect/Schema"
import { ErrorEnvelope } from "flange/Contract"

export const ShopErrors = ErrorEnvelope.make({
  decode: ({ error }) => ({ ...error.fields, code: error.code, detail: error.message }),
  encode: ({ code, correlationId: _, detail, status: __, title: ___, type: ____, ...fields }) => ({
    error: { code, fields, message: detail }
  }),
  schema: Schema.Struct({
    error: Schema.Struct({
      code: Schema.String,
      fields: Schema.Record(Schema.String, Schema.Unknown),
      message: Schema.String
    })
  })
})
`,
  "orders/index.ts": `export { OrderNotFound, OrdersApi } from "./OrdersApi.ts"\n`,
  "orders/Order.ts": `
import * as Schema from "effect/Schema"

export const OrderId = Schema.Int.pipe(Schema.brand("OrderId"))
export type OrderId = typeof OrderId.Type

/** An order that was placed. It may come "from": "node:fs", or /* from * / "flange". */
export const Order = Schema.Struct({
  id: OrderId,
  lines: Schema.Array(Schema.Struct({ amount: Schema.Int, sku: Schema.NonEmptyString }))
})
export type Order = typeof Order.Type
`,
  "orders/OrdersApi.ts": `
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { ApiError, Created, Pagination } from "flange/Contract"
import { Order, OrderId } from "#orders/Order"

export class OrderNotFound extends ApiError.make<OrderNotFound>()(
  "OrderNotFound",
  { code: "ORDER_NOT_FOUND", detail: ({ id }) => \`Order \${id} does not exist\`, status: 404 },
  { id: OrderId }
) {}

export class OrdersApi extends HttpApiGroup.make("orders").add(
  HttpApiEndpoint.post("create", "/v1/orders", {
    payload: Schema.Struct({ lines: Order.fields.lines }),
    success: Created(Order)
  }),
  HttpApiEndpoint.get("list", "/v1/orders", {
    query: Pagination.query,
    success: Pagination.Page(Order)
  }),
  HttpApiEndpoint.get("read", "/v1/orders/:id", {
    error: OrderNotFound,
    params: { id: OrderId },
    success: Order
  }),
  HttpApiEndpoint.get("file", "/v1/orders/files/*", {
    params: { "*": Schema.String },
    success: Schema.String
  })
) {}
`,
  "orders/OrdersPlugin.ts": `
import * as Effect from "effect/Effect"
import { Created, Plugin, Route } from "flange"
import { OrderNotFound, OrdersApi } from "./index.ts"
import { OrdersRepo } from "./OrdersRepo.ts"

export const OrdersPlugin = Plugin.make("app:orders", {
  layer: OrdersRepo.layer,
  provides: [OrdersRepo],
  ready: ({ address }) => Effect.sync(() => console.log(\`listens on \${address}\`)),
  routes: [
    Route.public(OrdersApi, (handlers) =>
      Effect.gen(function* () {
        const orders = yield* OrdersRepo
        return handlers.handleAll({
          create: ({ payload }) =>
            Effect.map(orders.place(payload.lines), (order) =>
              Created.at(\`/v1/orders/\${order.id}\`, order)
            ),
          file: ({ params }) => Effect.succeed(params["*"]),
          list: ({ query }) =>
            Effect.map(orders.all, (items) => ({ ...query, items, total: items.length })),
          read: Effect.fnUntraced(function* ({ params }) {
            const order = (yield* orders.all).find(({ id }) => id === params.id)
            return order === undefined ? yield* new OrderNotFound(params) : order
          })
        })
      })
    )
  ]
})
`,
  "orders/OrdersRepo.ts": `
import { readFileSync } from "node:fs"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Order, OrderId } from "./Order.ts"

export const secretOfTheServer = () => readFileSync("/etc/hostname", "utf8")

export class OrdersRepo extends Context.Service<
  OrdersRepo,
  {
    readonly all: Effect.Effect<ReadonlyArray<Order>>
    readonly place: (lines: Order["lines"]) => Effect.Effect<Order>
  }
>()("shop/OrdersRepo") {
  static readonly layer = Layer.sync(OrdersRepo, () => {
    const orders: Array<Order> = []
    return OrdersRepo.of({
      all: Effect.sync(() => [...orders]),
      place: (lines) =>
        Effect.sync(() => {
          const order = { id: OrderId.make(orders.length + 1), lines }
          orders.push(order)
          return order
        })
    })
  })
}
`,
  "tsconfig.json": JSON.stringify({
    compilerOptions: {
      allowImportingTsExtensions: true,
      declaration: true,
      declarationDir: "dist/types",
      erasableSyntaxOnly: true,
      exactOptionalPropertyTypes: true,
      incremental: true,
      module: "nodenext",
      noEmit: true,
      skipLibCheck: true,
      strict: true,
      target: "es2023",
      tsBuildInfoFile: "dist/tsconfig.tsbuildinfo",
      types: ["node"],
      verbatimModuleSyntax: true
    },
    include: ["**/*.ts"]
  }),
  "users/UsersApi.ts": `
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"

export const User = Schema.Struct({ name: Schema.String })

export const Users = HttpApiGroup.make("users").add(
  HttpApiEndpoint.get("me", "/v1/users/me", { success: User })
)
`,
  "users/UsersPlugin.ts": `
import * as Effect from "effect/Effect"
import { Plugin, Route } from "flange"
import { Users } from "./UsersApi.ts"

export const UsersPlugin = Plugin.make("app:users", {
  routes: [
    Route.public(Users, (handlers) =>
      handlers.handleAll({ me: () => Effect.succeed({ name: "Ada" }) })
    )
  ]
})
`
}

/** A program that knows the package alone. */
export const consumer = `
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { make, type Order, OrderId, OrderNotFound } from "@acme/shop-client"

const program = Effect.gen(function* () {
  const shop = yield* make({ baseUrl: process.argv[2]! })
  const { body, headers } = yield* shop.orders.create({
    payload: { lines: [{ amount: 2, sku: "lamp" }] }
  })
  const order: Order = yield* shop.orders.read({ params: { id: body.id } })
  const page = yield* shop.orders.list({ query: {} })
  const missing = yield* Effect.flip(shop.orders.read({ params: { id: OrderId.make(99) } }))
  const file = yield* shop.orders.file({ params: { "*": "a/b" } })
  const me = yield* shop.users.me()
  return {
    amount: order.lines[0]?.amount,
    file,
    isClass: missing instanceof OrderNotFound,
    limit: page.limit,
    location: headers.location,
    me: me.name,
    message: missing.message
  }
})

console.log(JSON.stringify(await Effect.runPromise(Effect.provide(program, FetchHttpClient.layer))))
`
