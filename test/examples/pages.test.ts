import { layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestApp } from "flange/Testing"
import { expect } from "vitest"
import { app } from "../../examples/pages/app.ts"

layer(TestApp.layer(app), { excludeTestServices: true })("pages", (it) => {
  it.effect("a list has a row for each book, in the layout, and a script with the nonce", () =>
    Effect.gen(function* () {
      const pages = yield* TestApp.service(app)
      const reply = yield* pages.get("/books")
      reply.expectStatus(200)
      reply.expectHeader("content-type", "text/html; charset=utf-8")
      expect(reply.text).toMatch(/^<!doctype html>\n.*<title>Books<\/title>/s)
      expect(reply.text).toContain(
        '<li><a href="/books/2">Sense &amp; Sensibility</a> by Jane Austen</li>'
      )
      expect(reply.text).toContain("&lt;script&gt;alert(1)&lt;/script&gt;")
      expect(reply.text).toContain("const ids = [1,2,3]\n")
      const policy = reply.headers.get("content-security-policy")!
      const [, nonce] = /'nonce-(.*)'/.exec(policy)!
      expect(reply.text).toContain(`<script nonce="${nonce}">`)
    })
  )

  it.effect("what was searched for is escaped", () =>
    Effect.gen(function* () {
      const pages = yield* TestApp.service(app)
      const { text } = yield* pages.get(`/books?title=${encodeURIComponent('"><script>x')}`)
      expect(text).toContain('value="&quot;&gt;&lt;script&gt;x"')
      expect(text).toContain('No book has "&quot;&gt;&lt;script&gt;x" in its title.')
      expect(text).not.toContain("<li>")
    })
  )

  it.effect("an address that runs code is not printed", () =>
    Effect.gen(function* () {
      const pages = yield* TestApp.service(app)
      expect((yield* pages.get("/books/1")).text).toContain(
        'href="https://www.gutenberg.org/ebooks/84"'
      )
      expect((yield* pages.get("/books/2")).text).not.toContain("Read it")
      expect((yield* pages.get("/books/3")).text).toContain('href="about:invalid"')
    })
  )

  it.effect("a book that does not exist is a page with status 404", () =>
    Effect.gen(function* () {
      const pages = yield* TestApp.service(app)
      const reply = yield* pages.get("/books/9")
      reply.expectStatus(404)
      reply.expectHeader("content-type", "text/html; charset=utf-8")
      expect(reply.text).toContain("<h1>There is no such book</h1>")
    })
  )
})
