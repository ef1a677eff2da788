/** The plugin of the products: repository and handlers. */
import * as Effect from "effect/Effect"
import { SqlClient } from "effect/sql/SqlClient"
import { type Identity, Plugin, Route } from "flange"
import { Created } from "flange/Contract"
import * as Database from "flange/Database"
import { UserId } from "../users/User.ts"
import { ProductsApi } from "./ProductsApi.ts"
import { ProductsRepo } from "./ProductsRepo.ts"

/** The authentication of this app has the id of the user as the subject. */
const userOf = ({ subject }: Identity) => UserId.make(subject)

const ProductsRoutes = Route.protected(ProductsApi, (handlers) =>
  Effect.gen(function* () {
    const products = yield* ProductsRepo
    return handlers.handleAll({
      create: Effect.fnUntraced(function* ({ identity, payload }) {
        const product = yield* products.create(userOf(identity), payload)
        return Created.at(`/v1/products/${product.id}`, product)
      }),
      list: ({ query }) => products.list(query),
      read: ({ params }) => products.read(params.id),
      remove: ({ identity, params }) => products.remove(userOf(identity), params.id),
      update: ({ identity, params, payload }) =>
        products.update(userOf(identity), params.id, payload)
    })
  })
)

export const ProductsPlugin = Plugin.make("app:products", {
  layer: ProductsRepo.layer,
  provides: [ProductsRepo],
  requires: [Database.InTransaction, SqlClient],
  routes: [ProductsRoutes]
})
