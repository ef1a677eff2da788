/** The plugin of the books: its handlers. */
import * as Effect from "effect/Effect"
import { Plugin, Route } from "flange"
import * as SecureHeaders from "flange/SecureHeaders"
import * as Templates from "flange/Templates"
import type { Book } from "./Book.ts"
import { BooksApi } from "./BooksApi.ts"
import * as BooksPages from "./BooksPages.ts"

const books: ReadonlyArray<Book> = [
  {
    author: "Mary Shelley",
    id: 1,
    link: "https://www.gutenberg.org/ebooks/84",
    title: "Frankenstein"
  },
  { author: "Jane Austen", id: 2, link: null, title: "Sense & Sensibility" },
  { author: "A stranger", id: 3, link: "javascript:alert(1)", title: "<script>alert(1)</script>" }
]

const list = Effect.fnUntraced(function* (searched: string) {
  const found = books.filter(({ title }) => title.toLowerCase().includes(searched.toLowerCase()))
  const nonce = yield* SecureHeaders.nonce
  return yield* Templates.html(BooksPages.List, { books: found, nonce, searched })
})

const read = Effect.fnUntraced(function* (id: number) {
  const nonce = yield* SecureHeaders.nonce
  const book = books.find((one) => one.id === id)
  if (book !== undefined) return yield* Templates.html(BooksPages.Read, { book, nonce })
  const lost = yield* Templates.html(BooksPages.Lost, { nonce })
  return Templates.toResponse(lost, { status: 404 })
})

export const BooksPlugin = Plugin.make("app:books", {
  // A browser runs the scripts of the pages, and no others.
  defaults: {
    secureHeaders: { contentSecurityPolicy: "default-src 'self'; script-src 'nonce-{nonce}'" }
  },
  requires: [Templates.Templates],
  routes: [
    Route.public(BooksApi, (handlers) =>
      handlers.handleAll({
        list: ({ query }) => list(query.title ?? ""),
        read: ({ params }) => read(params.id)
      })
    )
  ]
})
