/** The schemas of a user, shared by the server and every client. */
import * as Schema from "effect/Schema"

/** The server creates ids as UUIDs of version 7, so that they sort by creation time. */
export const UserId = Schema.String.check(Schema.isUUID(7)).pipe(Schema.brand("UserId"))
export type UserId = typeof UserId.Type

export const User = Schema.Struct({
  id: UserId,
  name: Schema.String.check(Schema.isPattern(/^[a-z][a-z0-9-]{1,39}$/))
})
export type User = typeof User.Type

/** The body of POST. */
export const UserDraft = Schema.Struct({ name: User.fields.name })
export type UserDraft = typeof UserDraft.Type

/** The reply to POST, which alone has the key: the table has its hash. */
export const NewUser = Schema.Struct({ ...User.fields, key: Schema.String })
export type NewUser = typeof NewUser.Type
