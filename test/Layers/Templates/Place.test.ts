// The rules of the places in which values are printed.
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Html } from "flange/Templates/Contract"
import * as Markup from "../../../src/Contract/Markup.ts"
import { failure, memory, rendered } from "./sources.ts"

const render = (text: string, data?: Readonly<Record<string, unknown>>) =>
  rendered(memory, { page: text }, data)

const fails = (text: string, data?: Readonly<Record<string, unknown>>) =>
  failure(memory, { page: text }, data)

describe("an address", () => {
  it.effect.each([
    ["https://a.example/?x=1", "https://a.example/?x=1"],
    ["HTTP://a.example", "HTTP://a.example"],
    ["mailto:a@a.example", "mailto:a@a.example"],
    ["/orders/1:2", "/orders/1:2"],
    ["orders?at=12:00", "orders?at=12:00"],
    ["#a:b", "#a:b"],
    ["//a.example", "//a.example"],
    ["", ""],
    ["javascript:alert(1)", "about:invalid"],
    ["JavaScript:alert(1)", "about:invalid"],
    [" \u0001javascript:alert(1)", "about:invalid"],
    ["java\nscript:alert(1)", "about:invalid"],
    ["java\tscript\r:alert(1)", "about:invalid"],
    ["vbscript:x", "about:invalid"],
    ["data:text/html,<script>", "about:invalid"]
  ])("%j is printed as %j", ([value, printed = ""]) =>
    Effect.gen(function* () {
      expect(yield* render(`<a href="<%= it.value %>">`, { value })).toBe(
        `<a href="${printed.replaceAll("&", "&amp;")}">`
      )
    })
  )

  it.effect("is checked at the start of the attribute only, with or without space", () =>
    Effect.gen(function* () {
      const value = "javascript:x"
      expect(yield* render(`<form ACTION = '\n <%= it.value %>'>`, { value })).toContain(
        "about:invalid"
      )
      expect(yield* render(`<a href="/search?q=<%= it.value %>">`, { value })).toBe(
        `<a href="/search?q=javascript:x">`
      )
      expect(yield* fails(`<a href="<%= it.a %><%= it.b %>">`)).toContain(
        "the address in href begins with two values. Write one expression for both"
      )
      expect(yield* render(`<a href="<%= it.value %>">`, { value: Html.trusted(value) })).toContain(
        value
      )
    })
  )
})

describe("an address of several parts", () => {
  const code = "javascript:x"

  it.effect("is checked behind a condition that may leave out its begin", () =>
    Effect.gen(function* () {
      const text = `<a title='"' href="<% if (it.host) { %>https://a.example/<% } %><%= it.path %>">`
      expect(yield* render(text, { host: true, path: code })).toContain(
        `"https://a.example/javascript:x"`
      )
      expect(yield* render(text, { host: false, path: code })).toContain(`"about:invalid"`)
      const either = `<a href='<% if (it.a) { %><%= it.a %><% } else { %>/b/<%= it.b %><% } %>'>`
      expect(yield* render(either, { a: code, b: "" })).toBe("<a href='about:invalid'>")
      expect(yield* render(either, { a: "", b: code })).toBe("<a href='/b/javascript:x'>")
      const both = `<a href="<% %><%= it.a %><%= it.b %>">`
      expect(yield* render(both, { a: "java", b: "script:x" })).toBe(`<a href="javaabout:invalid">`)
      const picture = `<img src="<% if (it.a) { %>data:image/png;base64,<%= it.a %><% } %>">`
      expect(yield* render(picture, { a: "AA==" })).toContain(`"data:image/png;base64,AA=="`)
    })
  )

  it.effect("has no scheme that a value and the template make together", () =>
    Effect.gen(function* () {
      const text = `<a href="<%= it.scheme %>://<%= it.host %>/<%= it.path %>">`
      expect(yield* render(text, { host: "a:80", path: "b:c", scheme: "https" })).toBe(
        `<a href="https://a:80/b:c">`
      )
      const colon = `<a href="<%= it.scheme %>:<%= it.host %>">`
      for (const scheme of ["javascript", "java\tscript", "data"]) {
        expect(yield* render(colon, { host: "x", scheme })).toContain(":about:invalid")
      }
      const letters = `<a href="<%= it.a %>s<%= it.b %>">`
      expect(yield* render(letters, { a: "java", b: "cript:x" })).toContain("javasabout:invalid")
      expect(yield* render(letters, { a: "/java", b: "cript:x" })).toContain("/javascript:x")
    })
  )

  it.effect("is that of an animation, too", () =>
    Effect.gen(function* () {
      const text = `<svg><a><SET attributeName="href" to="<%= it.a %>"/><p to="<%= it.a %>"></a></svg>`
      expect(yield* render(text, { a: code })).toContain(
        `to="about:invalid"/><p to="javascript:x">`
      )
      expect(yield* render(text, { a: "#fff" })).toContain(`to="#fff"/>`)
    })
  )

  it.effect("is refused at start if the template writes code", () =>
    Effect.gen(function* () {
      for (const text of [
        `<a href="javascript:go('<%= it.a %>')">`,
        `<a href="java\nscript:go(<%= it.a %>)">`,
        `<iframe src="data:text/html,<%= it.a %>">`
      ]) {
        expect(yield* fails(text)).toContain("is code, which escaping does not make safe")
      }
    })
  )

  it.effect("is checked if a template has printed it", () =>
    Effect.gen(function* () {
      const page = `<a href="<%~ include("part") %>">`
      const part = "<%= it.link %>"
      expect(yield* rendered(memory, { page, part }, { link: code })).toBe(
        `<a href="about:invalid">`
      )
      expect(yield* rendered(memory, { page, part }, { link: "/a" })).toBe(`<a href="/a">`)
    })
  )

  it.effect("has the places of the page, without the line breaks that are left out", () =>
    Effect.gen(function* () {
      expect(yield* fails(`<p on<% %>\nclick="<%= it.a %>">`)).toContain("onclick is code")
    })
  )
})

describe("a script", () => {
  it.effect("prints JSON that does not end a text", () =>
    Effect.gen(function* () {
      const value = { text: "'+alert(1)+'`${alert(1)}" }
      const markup = yield* render("<script>JSON.parse('<%= json(it.value) %>')</script>", {
        value
      })
      expect(markup).toBe(
        String.raw`<script>JSON.parse('{"text":"\u0027+alert(1)+\u0027\u0060\u0024{alert(1)}"}')</script>`
      )
    })
  )

  it.effect("prints JSON that cannot end it", () =>
    Effect.gen(function* () {
      const value = { text: "</script><!--&\u2028" }
      const markup = yield* render("<script>const data = <%= json(it.value) %></script>", { value })
      expect(markup).toBe(
        String.raw`<script>const data = {"text":"\u003c/script\u003e\u003c!--\u0026\u2028"}</script>`
      )
      expect(yield* render(`<p data-row="<%= json(it.value) %>">`, { value: { a: `"` } })).toBe(
        `<p data-row="{&quot;a&quot;:&quot;\\&quot;&quot;}">`
      )
    })
  )

  it.effect("refuses the output of templates, whose values are escaped for another place", () =>
    Effect.gen(function* () {
      const part = `const name = "<%= it.name %>"`
      for (const page of [
        `<script><%= include("part") %></script>`,
        `<script><%~ include("part") %></script>`,
        `<script><%= it.page %></script>`,
        `<style><%= block("part") %></style>`
      ]) {
        const data = { name: "\\", page: Markup.rendered("text") }
        expect(yield* failure(memory, { page, part }, data)).toContain(
          "the output of a template is printed in a script"
        )
      }
      const value = Html.trusted("start()")
      expect(yield* render("<script><%= it.value %></script>", { value })).toContain("start()")
    })
  )

  it.effect("markup outside of text is printed by the rules of its place", () =>
    Effect.gen(function* () {
      const value = Html.trusted(`<b class="x">`)
      expect(yield* render(`<p title="<%~ it.value %>">`, { value })).toBe(
        `<p title="&lt;b class=&quot;x&quot;&gt;">`
      )
      expect(yield* fails("<p class=<%~ it.value %>>", { value })).toContain("has no quotes")
    })
  )

  it.effect("prints numbers, and refuses texts", () =>
    Effect.gen(function* () {
      const text = "<script>\nlet n = <%= it.value %></script>"
      expect(yield* render(text, { value: 7 })).toContain("let n = 7<")
      expect(yield* render(text, { value: null })).toContain("let n = null<")
      for (const value of ["7", NaN, undefined, {}]) {
        expect(yield* fails(text, { value })).toContain(
          "is printed in a script or a style sheet, where escaping does not make it safe. Write <%= json(...) %>"
        )
      }
      expect(
        yield* fails("<STYLE>a { color: <%= it.value %> }</STYLE>", { value: "red" })
      ).toContain("is printed in a script or a style sheet")
      expect(yield* render("<script></script ><p><%= it.value %>", { value: "x" })).toContain("x")
      expect(yield* fails("<% %><script></scripts><%= it.value %>", { value: "x" })).toContain(
        "printed in a script"
      )
    })
  )
})

describe("a tag", () => {
  it.effect("takes names as values, and nothing else", () =>
    Effect.gen(function* () {
      const text = `<option <%= it.value %>>`
      expect(yield* render(text, { value: "selected" })).toBe("<option selected>")
      expect(yield* render(text, { value: "" })).toBe("<option >")
      for (const value of [`x onclick="y"`, "a=b", ">", "é"]) {
        expect(yield* fails(text, { value })).toContain("in the place of an attribute's name")
      }
    })
  )

  it.effect.each([
    ["<p class=<%= it.a %>>", "has no quotes"],
    ["<p class=x<%= it.a %>>", "has no quotes"],
    ["<!-- <% if (it.a) { %> <%= it.a %> <% } %> -->", "a condition is in the comment"],
    [
      `<% if (it.a) { %><!--<% } %><a href="<%= it.b %>"><% if (it.a) { %>--><% } %>`,
      "a condition is in the comment"
    ],
    ["<script>let a = <% output(it.a) %></script>", "it calls output"],
    ["<a href='<% const print = output; print(it.a) %>'>", "it calls output"],
    [`<p onclick="<%= it.a %>">`, "the attribute onclick is code"],
    [`<p ONCLICK='go(<%= it.a %>)'>`, "the attribute onclick is code"],
    [`<iframe srcdoc="<%= it.a %>">`, "the attribute srcdoc is code"],
    [`<p <%= it.a %>="<%= it.b %>">`, "the name of the attribute is computed"],
    [`<p data-<%= it.a %>="<%= it.b %>">`, "the name of the attribute is computed"],
    ["<<%= it.a %>>", "the name of an element is computed"],
    ["<h<%= it.a %>>", "the name of an element is computed"],
    ["</<%= it.a %>>", "the name of an element is computed"]
  ])("%s is refused at start", ([text = "", reason]) =>
    Effect.gen(function* () {
      expect(yield* fails(text)).toContain(reason)
    })
  )

  it.effect.each([
    [`<p class="a <%= it.a %>" id='<%= it.a %>'><%= it.a %>`, `<p class="a &lt;" id='&lt;'>&lt;`],
    ["a < b <%= it.a %> <3 <%= it.a %>", "a < b &lt; <3 &lt;"],
    ["<!-- <% %> --><!-- <%= it.a %> --><% output(it.a) %>", "<!--  --><!-- &lt; -->&lt;"],
    ["<p class='<% /* output */ %>'><%= it.a %>", "<p class=''>&lt;"],
    ["<!-- <p class= <%= it.a %> --><%= it.a %>", "<!-- <p class= &lt; -->&lt;"],
    ["<!--><%= it.a %>", "<!-->&lt;"],
    ["<!---><%= it.a %>", "<!--->&lt;"],
    ["<!-- --!><%= it.a %>", "<!-- --!>&lt;"],
    ["<!doctype html><br/><%= it.a %>", "<!doctype html><br/>&lt;"],
    ["<title><p class=<%= it.a %></title>", "<title><p class=&lt;</title>"],
    ['<input disabled value = \n"<%= it.a %>"/>', '<input disabled value = \n"&lt;"/>'],
    ["it's <b>\\n</b><i title='\\'><%= it.a %></i>", "it's <b>\\n</b><i title='\\'>&lt;</i>"]
  ])("%s has values in places that are safe", ([text = "", printed]) =>
    Effect.gen(function* () {
      expect(yield* render(text, { a: "<" })).toBe(printed)
    })
  )

  it.effect("markup does not end a title or a comment", () =>
    Effect.gen(function* () {
      const a = Html.trusted("</title>-->")
      expect(yield* render("<title><%= it.a %></title><!-- <%= it.a %>", { a })).toBe(
        "<title>&lt;/title&gt;--&gt;</title><!-- &lt;/title&gt;--&gt;"
      )
    })
  )

  it.effect("the attribute style takes plain values", () =>
    Effect.gen(function* () {
      const text = `<p style="width: <%= it.a %>">`
      expect(yield* render(text, { a: "calc-1 50.5%" })).toContain("calc-1 50.5%")
      for (const a of ["url(x)", "1; color: red", "a:b", "\\75"]) {
        expect(yield* fails(text, { a })).toContain("Write a class")
      }
    })
  )
})
