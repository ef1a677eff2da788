/** The data of `production`, for stock HttpApi and for Flange. */
import * as Schema from "effect/Schema"

export const Item = Schema.Struct({
  createdAt: Schema.String,
  id: Schema.Int,
  name: Schema.String,
  price: Schema.Finite,
  tags: Schema.Array(Schema.String)
})

export const NewItem = Schema.Struct({
  name: Schema.String.check(Schema.isBetweenLength(1, 100)),
  price: Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)),
  tags: Schema.Array(Schema.String)
})
