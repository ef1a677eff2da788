// What templates do, from whatever source they come.
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Html } from "flange/Templates/Contract"
import { failure, type Open, page, rendered, service } from "./sources.ts"

export const suite = (name: string, open: Open): void => {
  const render = (text: string, data?: Readonly<Record<string, unknown>>) =>
    rendered(open, { page: text }, data)
  const fails = (text: string, data?: Readonly<Record<string, unknown>>) =>
    failure(open, { page: text }, data)

  describe(`templates in ${name}`, () => {
    it.effect("a value between tags is escaped, and markup is not", () =>
      Effect.gen(function* () {
        const value = `<b title="x" class='y'>&</b>`
        expect(yield* render("<p><%= it.value %></p>", { value })).toBe(
          "<p>&lt;b title=&quot;x&quot; class=&#39;y&#39;&gt;&amp;&lt;/b&gt;</p>"
        )
        const html = { value: Html.trusted("<i>new</i>") }
        expect(yield* render("<p><%= it.value %></p>", html)).toBe("<p><i>new</i></p>")
        expect(yield* render("<p><%~ it.value %></p>", html)).toBe("<p><i>new</i></p>")
        expect(yield* fails("<p>\n<%~ it.value %></p>", { value })).toBe(
          'Template "page", line 2: <%~ prints markup, and the value is a string. Write <%= to escape it, or make it markup with Html.trusted if it is safe'
        )
      })
    )

    it.effect("markup in an attribute is text", () =>
      Effect.gen(function* () {
        const text = `<p title="<%= it.a %>" lang='<%= it.b %>'>`
        const a = Html.trusted(`<b class="x">`)
        expect(yield* render(text, { a, b: `'"` })).toBe(
          `<p title="&lt;b class=&quot;x&quot;&gt;" lang='&#39;&quot;'>`
        )
      })
    )

    it.effect("layouts, partials and blocks are put together", () =>
      Effect.gen(function* () {
        const templates = {
          "layouts/main":
            "<title><%= it.title %></title><%= block('nav', () => { %>no nav<% }) %><main><%= it.body %></main>",
          page: `<% layout("layouts/main", { title: "Orders & more" }) %><% block("nav", () => { %><nav><%= it.user %></nav><% }) %><% for (const row of it.rows) { %><%= include("row", { row }) %><% } %>`,
          row: "<li><%= it.row %> of <%= it.user %></li>"
        }
        expect(yield* rendered(open, templates, { rows: ["1", "<2>"], user: "A&B" })).toBe(
          "<title>Orders &amp; more</title><nav>A&amp;B</nav><main><li>1 of A&amp;B</li><li>&lt;2&gt; of A&amp;B</li></main>"
        )
        const outer = {
          "layouts/inner": `<% layout("layouts/outer") %><div><%= it.body %></div>`,
          "layouts/outer": `<h1><%= block("title") %></h1><%= it.body %><%= include("foot") %>`,
          foot: `<%= block("title") %>`,
          page: `<% layout("layouts/inner") %><% block("title", () => { %>T<% }) %>text`
        }
        expect(yield* rendered(open, outer)).toBe("<h1>T</h1><div>text</div>T")
      })
    )

    it.effect("a tag without output has no line in the page, and one with output has", () =>
      Effect.gen(function* () {
        expect(yield* render("a\n<% if (true) { %>\nb <%= 1 %>\nc\n<% } %>\nd")).toBe(
          "a\nb 1\nc\nd"
        )
        expect(yield* render("a\r\n<% if (true) { %>\r\nb\r\n<% } %>")).toBe("a\nb\n")
        expect(yield* render("a <%_ if (true) { _%>   b <% } -%>\nc")).toBe("ab c")
      })
    )

    it.effect("a value that is no text is refused, and its code is not called", () =>
      Effect.gen(function* () {
        const toString = () => {
          throw new Error("called")
        }
        for (const [value, kind] of [
          [{ toString }, "an object"],
          [["a"], "a list"],
          [new Date(0), "a date"],
          [() => 1, "a function"],
          [Symbol("x"), "a symbol"]
        ] as const) {
          expect(yield* fails("<%= it.value %>", { value })).toContain(`the value is ${kind}.`)
        }
        expect(yield* fails("a\n\n<%= it.vaule %>", { value: 1 })).toBe(
          'Template "page", line 3: the value is undefined. Correct the name, or write what is printed without a value, as in it.note ?? ""'
        )
        const values = { big: 2n ** 64n, no: null, number: 1.5, yes: true }
        expect(
          yield* render("<%= it.big %> <%= it.no %> <%= it.number %> <%= it.yes %>", values)
        ).toBe("18446744073709551616  1.5 true")
      })
    )

    it.effect("names of the prototype are no data, no template and no block", () =>
      Effect.gen(function* () {
        expect(yield* fails("<%= include(it.name) %>", { name: "constructor" })).toContain(
          'there is no template "constructor"'
        )
        expect(yield* fails("<%= include(it.name) %>", { name: "__proto__" })).toContain(
          "there is no template"
        )
        expect(
          yield* rendered(open, {
            "layouts/main": `<%= block("constructor") %>|<%= block("toString") %>`,
            page: `<% layout("layouts/main") %>`
          })
        ).toBe("|")
        const hostile: object = JSON.parse('{"__proto__": {"admin": "yes"}, "__blocks": {"a": 1}}')
        const data = { ...hostile }
        expect(yield* render(`<%= it.admin ?? "no" %>`, data)).toBe("no")
        expect(
          yield* rendered(
            open,
            { page: `<%= include("part") %>`, part: `<%= it.admin ?? "no" %>` },
            data
          )
        ).toBe("no")
      })
    )

    it.effect("a name leads to no file but those of the templates", () =>
      Effect.gen(function* () {
        for (const name of [
          "../page",
          "/etc/passwd",
          "./page",
          "page.eta",
          "..\\page",
          "a//b",
          ""
        ]) {
          expect(yield* fails("<%= include(it.name) %>", { name })).toContain(
            `there is no template ${JSON.stringify(name)}`
          )
        }
      })
    )

    it.effect("all problems are in one report, each with its line", () =>
      Effect.gen(function* () {
        const source = yield* open({
          "a/syntax": "x\n<% if (it.a { %>\n<% } %>",
          "b/unclosed": "x\n\n  <% if (true) {",
          "c/quotes": "<p>\n<a href=<%= it.a %>>",
          "d/missing": `\n<%= include("parts/none") %><%~ include('c/quotes') %>`
        })
        const { message } = yield* Effect.flip(service([source]))
        expect(message.replaceAll(source.description, "memory").split("\n")).toEqual([
          "The templates have 5 problems:",
          expect.stringMatching(
            /^- Template "a\/syntax", line 2: its code cannot be compiled: .+\. Correct the code in its tags$/
          ),
          '- Template "b/unclosed", line 3: unclosed tag. Correct the tag',
          `- Template "c/quotes", line 2: the value of the attribute href has no quotes, so a space in it begins another attribute. Write href="<%= ... %>"`,
          '- Template "d/missing", line 2: it names the template "parts/none", which does not exist in memory. Write its path from there, without the extension',
          '- Template "page": it is listed in the templates of the plugin, and does not exist in memory. Write the file page.eta, or correct the name'
        ])
      }).pipe(Effect.scoped)
    )

    it.effect("code that ends its function has the line of its tag", () =>
      Effect.gen(function* () {
        for (const code of ["}}", "}})", "}}); (function () {{", "}}]; [function () {{"]) {
          expect(yield* fails(`a\n<% ${code} %>\n<%= 1 %>\n<%= 2 %>`)).toMatch(
            /Template "page", line 2: its code cannot be compiled/
          )
        }
      })
    )

    it.effect("a template that throws fails with its name and line, also inside of another", () =>
      Effect.gen(function* () {
        const templates = {
          page: `<%= include("part") %>`,
          part: "<p>\n<% if (true) { %>\n<%= it.order.id %>\n<% } %>"
        }
        const { render } = yield* service([yield* open(templates)])
        const error = yield* Effect.flip(render(page, {}))
        expect(error).toMatchObject({ _tag: "TemplateError", line: 3, template: "part" })
        expect(error.cause).toBeInstanceOf(TypeError)
        expect(yield* fails("<% throw null %>")).toBe(
          'Template "page", line 1: it has thrown: null'
        )
      }).pipe(Effect.scoped)
    )

    it.effect("recursion and long pages end", () =>
      Effect.gen(function* () {
        expect(yield* fails(`a<%= include("page") %>`)).toContain(
          "templates include each other more than 64 times"
        )
        expect(yield* fails(`<% layout("page") %>`)).toContain("more than 64 times")
        expect(yield* fails(`<% for (;;) { %><%= "0123456789" %><% } %>`)).toContain(
          "the page has more than 100000 characters"
        )
        // What it may print is in no tag.
        expect(yield* fails("<% for (;;) { %>0123456789<% } %>")).toContain(
          "the page has more than 100000 characters"
        )
        const tree = `<%= it.depth %><% if (it.depth < 20) { %><%= include("page", { depth: it.depth + 1 }) %><% } %>`
        expect(yield* render(tree, { depth: 18 })).toBe("181920")
      })
    )

    it.effect("of several sources, the first that has a template counts", () =>
      Effect.gen(function* () {
        const own = yield* open({ page: `<%= include("part") %>` })
        const shared = yield* open({ page: "shared", part: "part" })
        const { render } = yield* service([own, shared])
        expect((yield* render(page, {})).markup).toBe("part")
      }).pipe(Effect.scoped)
    )

    it.effect("a template that is too large is refused", () =>
      Effect.gen(function* () {
        expect(yield* fails("x".repeat(2 ** 20 + 1))).toContain("it has more than 1048576 bytes")
      })
    )
  })
}
