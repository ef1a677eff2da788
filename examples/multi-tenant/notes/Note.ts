/** The schemas of a note. The tenant is not among its fields: callers see those of one tenant only. */
import * as Schema from "effect/Schema"

export const NoteId = Schema.String.check(Schema.isUUID(7)).pipe(Schema.brand("NoteId"))
export type NoteId = typeof NoteId.Type

export const Note = Schema.Struct({
  id: NoteId,
  title: Schema.String.check(Schema.isBetweenLength(1, 200))
})
export type Note = typeof Note.Type

/** The body of POST and PUT. */
export const NoteDraft = Schema.Struct({ title: Note.fields.title })
export type NoteDraft = typeof NoteDraft.Type
