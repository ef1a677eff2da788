/** The schemas of an item, shared by the server and every client. */
import * as Schema from "effect/Schema"

/** The server creates ids as UUIDs of version 7, so that they sort by creation time. */
export const ItemId = Schema.String.check(Schema.isUUID(7)).pipe(Schema.brand("ItemId"))
export type ItemId = typeof ItemId.Type

/** Text that every database stores unchanged: without NUL and lone surrogates. */
const isText = Schema.isPattern(/^[^\0\ud800-\udfff]*$/u, {
  expected: "text without NUL and lone surrogates",
  toJsonSchema: () => ({})
})

const Description = Schema.String.check(Schema.isMaxLength(10_000), isText)

const Name = Schema.String.check(Schema.isBetweenLength(1, 200), isText)

export const Item = Schema.Struct({
  createdAt: Schema.DateTimeUtcFromString,
  description: Schema.optionalKey(Description),
  id: ItemId,
  name: Name
})
export type Item = typeof Item.Type

/** The fields that callers set: the body of POST and PUT. */
export const ItemDraft = Schema.Struct({
  description: Schema.optionalKey(Description),
  name: Name
})
export type ItemDraft = typeof ItemDraft.Type

/** The body of PATCH: an absent field is unchanged, and `null` removes the description. */
export const ItemChanges = Schema.Struct({
  description: Schema.optionalKey(Schema.NullOr(Description)),
  name: Schema.optionalKey(Name)
})
export type ItemChanges = typeof ItemChanges.Type
