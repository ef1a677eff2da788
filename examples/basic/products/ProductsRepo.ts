/** The repository of the products, and the rule that only the owner changes a product. */
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { SqlError } from "effect/sql/SqlError"
import type { Pagination } from "flange/Contract"
import * as Database from "flange/Database"
import type { UserId } from "../users/User.ts"
import { Product, type ProductChanges, type ProductDraft, ProductId } from "./Product.ts"
import { ProductNotFound, ProductNotOwned } from "./ProductsApi.ts"

export class ProductsRepo extends Context.Service<
  ProductsRepo,
  {
    readonly create: (owner: UserId, draft: ProductDraft) => Effect.Effect<Product>
    /** One page, oldest first. */
    readonly list: (query: Pagination.Query) => Effect.Effect<Pagination.Page<Product>>
    readonly read: (id: ProductId) => Effect.Effect<Product, ProductNotFound>
    readonly remove: (
      caller: UserId,
      id: ProductId
    ) => Effect.Effect<void, ProductNotFound | ProductNotOwned>
    readonly update: (
      caller: UserId,
      id: ProductId,
      changes: ProductChanges
    ) => Effect.Effect<Product, ProductNotFound | ProductNotOwned>
  }
>()("basic/ProductsRepo") {
  static readonly layer = Layer.effect(
    ProductsRepo,
    Effect.gen(function* () {
      const products = yield* Database.table("products", { key: "id", row: Product })
      const random = yield* SecureRandom.SecureRandom
      const transaction = yield* Database.InTransaction

      const found = Effect.fnUntraced(function* (
        id: ProductId,
        query: Effect.Effect<Option.Option<Product>, SqlError>
      ) {
        const product = yield* Effect.orDie(query)
        if (Option.isNone(product)) return yield* new ProductNotFound({ id })
        return product.value
      })

      // The check and the change that follows it are in the transaction of the request.
      const owned = Effect.fnUntraced(function* (caller: UserId, id: ProductId) {
        yield* transaction.required
        const { ownerId } = yield* found(id, products.find(id))
        if (ownerId !== caller) return yield* new ProductNotOwned({ id })
      })

      return ProductsRepo.of({
        create: Effect.fn("ProductsRepo.create")(function* (ownerId, draft) {
          const product = { ...draft, id: ProductId.make(yield* random.uuidV7()), ownerId }
          yield* Effect.orDie(products.insert(product))
          return product
        }),
        // Ids sort by creation time.
        list: (query) => Effect.orDie(products.page(query)),
        read: (id) => found(id, products.find(id)),
        remove: Effect.fn("ProductsRepo.remove")(function* (caller, id) {
          yield* owned(caller, id)
          yield* found(id, products.remove(id))
        }),
        update: Effect.fn("ProductsRepo.update")(function* (caller, id, changes) {
          yield* owned(caller, id)
          return yield* found(id, products.update(id, changes))
        })
      })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}
