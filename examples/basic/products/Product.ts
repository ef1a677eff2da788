/** The schemas of a product, shared by the server and every client. */
import * as Schema from "effect/Schema"
import { UserId } from "../users/User.ts"

export const ProductId = Schema.String.check(Schema.isUUID(7)).pipe(Schema.brand("ProductId"))
export type ProductId = typeof ProductId.Type

export const Product = Schema.Struct({
  id: ProductId,
  name: Schema.String.check(Schema.isBetweenLength(1, 200)),
  ownerId: UserId,
  /** In cents. */
  price: Schema.Int.check(Schema.isBetween({ maximum: 100_000_000, minimum: 0 }))
})
export type Product = typeof Product.Type

const { name, price } = Product.fields

/** The body of POST. The caller becomes the owner. */
export const ProductDraft = Schema.Struct({ name, price })
export type ProductDraft = typeof ProductDraft.Type

/** The body of PATCH: an absent field is unchanged. */
export const ProductChanges = Schema.Struct({
  name: Schema.optionalKey(name),
  price: Schema.optionalKey(price)
})
export type ProductChanges = typeof ProductChanges.Type
