/** The schema of a row of the table `items`. */
import * as Schema from "effect/Schema"
import { Item } from "./Item.ts"

/** The fields of an item. `createdAt` is a timestamp in the database and text in JSON. */
export const ItemRow = Schema.Struct({ ...Item.fields, createdAt: Schema.DateTimeUtcFromDate })
