/** The schema of a row of the table `users`. */
import * as Schema from "effect/Schema"
import { User } from "./User.ts"

export const UserRow = Schema.Struct({ ...User.fields, keyHash: Schema.String })
