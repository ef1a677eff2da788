/** How an item is kept: a row of the table `items`. */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { Item, ItemId } from "./Item.ts"

const Columns = Schema.Struct({
  created_at: Schema.DateTimeUtcFromDate,
  description: Schema.NullOr(Schema.String),
  id: ItemId,
  name: Schema.String
})

/** Decodes a row to an item, and encodes an item to the row to insert. */
export const ItemRow = Columns.pipe(
  Schema.decodeTo(
    Schema.toType(Item),
    SchemaTransformation.transform({
      decode: ({ created_at, description, ...columns }) => ({
        ...columns,
        createdAt: created_at,
        ...(description === null ? {} : { description })
      }),
      encode: ({ createdAt, description, ...fields }) => ({
        ...fields,
        created_at: createdAt,
        description: description ?? null
      })
    })
  )
)
