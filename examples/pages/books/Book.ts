/** The schema of a book. */
import * as Schema from "effect/Schema"

export const BookId = Schema.Int.check(Schema.isGreaterThan(0))

export const Book = Schema.Struct({
  author: Schema.String,
  id: BookId,
  // Where the book can be read: a text of whoever has entered it.
  link: Schema.NullOr(Schema.String),
  title: Schema.String
})

export type Book = typeof Book.Type
