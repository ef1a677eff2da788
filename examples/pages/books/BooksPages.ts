/** The templates of the books, and the data that each of them takes. */
import * as Schema from "effect/Schema"
import * as Templates from "flange/Templates"
import { Book } from "./Book.ts"

export const List = Templates.make("books/list", {
  data: Schema.Struct({
    books: Schema.Array(Book),
    nonce: Schema.String,
    searched: Schema.String
  })
})

export const Lost = Templates.make("books/lost", { data: Schema.Struct({ nonce: Schema.String }) })

export const Read = Templates.make("books/read", {
  data: Schema.Struct({ book: Book, nonce: Schema.String })
})
