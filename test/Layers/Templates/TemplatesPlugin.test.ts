import { rename, rm, symlink } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { App, Plugin, Route } from "flange"
import * as Cache from "flange/Cache"
import { ResponseCache } from "flange/Cache/Contract"
import * as OpenApi from "flange/OpenApi"
import * as SecureHeaders from "flange/SecureHeaders"
import * as Templates from "flange/Templates"
import { Html } from "flange/Templates/Contract"
import { TestTemplates } from "flange/Templates/Testing"
import { TestApp } from "flange/Testing"
import { service, temporary, write } from "./sources.ts"

const Order = Templates.make("orders/order", {
  data: Schema.Struct({ customer: Schema.String, nonce: Schema.String, total: Schema.Int })
})

class OrdersApi extends HttpApiGroup.make("orders").add(
  HttpApiEndpoint.get("cached", "/cached", { success: Html }).annotate(
    ResponseCache,
    ResponseCache.public("1 minute")
  ),
  HttpApiEndpoint.get("lost", "/lost", { success: Html }),
  HttpApiEndpoint.get("order", "/orders/:id", { params: { id: Schema.Int }, success: Html })
) {}

const Orders = Plugin.make("shop:orders", {
  requires: [Templates.Templates],
  routes: [
    Route.public(OrdersApi, (handlers) =>
      handlers.handleAll({
        cached: () => Templates.html(Order, { customer: "Ada", nonce: "", total: 1 }),
        lost: () => Effect.succeed(Templates.toResponse(Html.trusted("<h1>Lost"), { status: 404 })),
        order: ({ params }) =>
          Effect.gen(function* () {
            const nonce = yield* SecureHeaders.nonce
            return yield* Templates.html(Order, { customer: "<Ada>", nonce, total: params.id })
          })
      })
    )
  ]
})

const text = `<script nonce="<%= it.nonce %>" src="/a.js"></script>
<p><%= it.customer %></p>
<% if (it.total > 9) { %>
  <%= it.customer.secret.toUpperCase() %>
<% } %>
`

const pages = (...sources: ReadonlyArray<Templates.Source>) =>
  Templates.plugin({ sources, templates: [Order] })

const plugin = pages(Templates.memory({ "orders/order": text }))

const app = (templates: typeof plugin) =>
  App.make("shop", [Cache.plugin, OpenApi.plugin, SecureHeaders.plugin, templates, Orders])

const browser = { headers: { accept: "text/html,application/xhtml+xml" } }

const boot = (environment: string, templates = plugin) =>
  TestApp.make(app(templates), {
    environment,
    values: { secureHeaders: { contentSecurityPolicy: "script-src 'nonce-{nonce}'" } }
  })

describe("Templates.plugin", () => {
  it.live("replies with a page of the type text/html, also to HEAD and with a nonce", () =>
    Effect.gen(function* () {
      const shop = yield* boot("test")
      const reply = yield* shop.get("/orders/7")
      expect(reply.status).toBe(200)
      expect(reply.headers.get("content-type")).toBe("text/html; charset=utf-8")
      expect(reply.text).toContain("<p>&lt;Ada&gt;</p>")
      const nonce = /'nonce-(.*)'/.exec(reply.headers.get("content-security-policy")!)![1]
      expect(reply.text).toContain(`nonce="${nonce}"`)
      const head = yield* shop.request("HEAD", "/orders/7")
      expect([head.status, head.text]).toEqual([200, ""])
      expect(head.headers.get("content-type")).toBe("text/html; charset=utf-8")
      const lost = yield* shop.get("/lost")
      expect([lost.status, lost.headers.get("content-type"), lost.text]).toEqual([
        404,
        "text/html; charset=utf-8",
        "<h1>Lost"
      ])
    })
  )

  it.live("the typed client and the OpenAPI document have the page", () =>
    Effect.gen(function* () {
      const shop = yield* boot("test")
      const page = yield* shop.client.orders.cached()
      expect(page.markup).toContain("<p>Ada</p>")
      const document = (yield* shop.get("/openapi.json")).json as {
        readonly paths: Readonly<Record<string, { readonly get: { readonly responses: object } }>>
      }
      expect(document.paths["/orders/{id}"]!.get.responses).toMatchObject({
        200: { content: { "text/html; charset=utf-8": { schema: { type: "string" } } } }
      })
    })
  )

  it.live("a page that ResponseCache stores has an entity tag and is not sent again", () =>
    Effect.gen(function* () {
      const shop = yield* boot("test")
      const first = yield* shop.get("/cached")
      const etag = first.headers.get("etag")!
      const second = yield* shop.get("/cached", { headers: { "if-none-match": etag } })
      expect([second.status, second.text]).toEqual([304, ""])
    })
  )

  it.live("a template that throws is a problem that tells nothing, and the log has its line", () =>
    Effect.gen(function* () {
      const shop = yield* boot("production")
      const reply = yield* shop.get("/orders/10", browser)
      expect(reply.status).toBe(500)
      expect(reply.headers.get("content-type")).toBe("application/problem+json")
      expect(reply.text).not.toMatch(/orders\/order|secret|toUpperCase|Template|line/)
      const logged = shop.logs
        .map(({ cause }) => (cause === undefined ? "" : Cause.pretty(cause)))
        .join()
      expect(logged).toContain('Template "orders/order", line 4: it has thrown')
    })
  )

  it.live("in local a browser gets a page with the line, and other clients a problem", () =>
    Effect.gen(function* () {
      const shop = yield* boot("local")
      const reply = yield* shop.get("/orders/10", browser)
      expect(reply.status).toBe(500)
      expect(reply.headers.get("content-type")).toBe("text/html; charset=utf-8")
      expect(reply.text).toContain("<h1>Template orders/order, line 4</h1>")
      expect(reply.text).toContain(
        "<mark>    4 &gt;   &#60;%= it.customer.secret.toUpperCase() %&#62;</mark>"
      )
      const client = yield* shop.get("/orders/10")
      expect([client.status, client.headers.get("content-type")]).toEqual([
        500,
        "application/problem+json"
      ])
      expect((yield* shop.get("/orders/7", browser)).status).toBe(200)
    })
  )

  it.live("in local a changed template is read again, and a broken one is shown", () =>
    Effect.gen(function* () {
      const path = yield* temporary
      const change = (content: string) =>
        Effect.andThen(
          write(path, "new.tmp", content),
          Effect.promise(() => rename(join(path, "new.tmp"), join(path, "orders/order.eta")))
        )
      yield* write(path, "orders/order.eta", "one")
      const shop = yield* boot("local", pages(Templates.directory(path)))
      const read = () => Effect.map(shop.get("/orders/7", browser), ({ text }) => text)
      expect(yield* read()).toBe("one")
      yield* change("two")
      expect(yield* read()).toBe("two")
      yield* change("<p>\n<a href=<%= it.customer %>>")
      expect(yield* read()).toContain("line 2</h1>")
      yield* change(`<%= include("part") %>`)
      expect(yield* read()).toContain("there is no template &#34;part&#34;")
      yield* write(path, "part.eta", "part")
      expect(yield* read()).toBe("part")
      yield* Effect.promise(() => rm(join(path, "orders/order.eta")))
      expect(yield* read()).toContain("its file was removed")
      yield* Effect.promise(() => rm(path, { recursive: true }))
      expect(yield* read()).toContain("cannot be read")
    })
  )

  it.live("outside of local a template stays as it was when the app started", () =>
    Effect.gen(function* () {
      const path = yield* temporary
      yield* write(path, "orders/order.eta", "one")
      const shop = yield* boot("production", pages(Templates.directory(path)))
      yield* write(path, "orders/order.eta", "another")
      expect((yield* shop.get("/orders/7")).text).toBe("one")
    })
  )

  it.live("an app with faulty templates does not start", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(
        Effect.scoped(boot("test", pages(Templates.memory({ other: "<% if { %>" }))))
      )
      const message = exit._tag === "Success" ? "" : Cause.pretty(exit.cause)
      expect(message).toContain("The templates have 2 problems:")
      expect(message).toContain('Template "orders/order": it is listed')
      const gone = yield* Effect.exit(
        Effect.scoped(boot("test", pages(Templates.directory("/nowhere/templates"))))
      )
      expect(gone._tag === "Success" ? "" : Cause.pretty(gone.cause)).toContain(
        "Templates: /nowhere/templates cannot be read: ENOENT"
      )
    })
  )

  it.live("an app whose clients send Html cannot be assembled", () =>
    Effect.gen(function* () {
      class Post extends Schema.Class<Post>("Post")({ parts: Schema.Array(Schema.NullOr(Html)) }) {}
      const take = { success: Schema.String }
      class PostsApi extends HttpApiGroup.make("posts").add(
        HttpApiEndpoint.post("nested", "/nested", { ...take, payload: Post }),
        HttpApiEndpoint.get("plain", "/plain", { query: { q: Schema.String }, success: Html }),
        HttpApiEndpoint.get("query", "/query", { ...take, query: { q: Html } }),
        HttpApiEndpoint.post("whole", "/whole", { ...take, payload: Html })
      ) {}
      const Posts = Plugin.make("shop:posts", {
        routes: [
          Route.public(PostsApi, (handlers) =>
            handlers.handleAll({
              nested: () => Effect.succeed(""),
              plain: () => Effect.succeed(Html.trusted("")),
              query: () => Effect.succeed(""),
              whole: () => Effect.succeed("")
            })
          )
        ]
      })
      const exit = yield* Effect.exit(
        Effect.scoped(TestApp.make(App.make("shop", [plugin, Posts])))
      )
      const message = exit._tag === "Success" ? "" : Cause.pretty(exit.cause)
      const refused = [
        ...message.matchAll(/UntrustedMarkup: \w+ (\S+) .* takes Html from clients/g)
      ]
      expect(refused.map(([, path]) => path)).toEqual(["/nested", "/query", "/whole"])
    })
  )

  it.live("a test replaces the plugin by templates in memory", () =>
    Effect.gen(function* () {
      const shop = yield* TestApp.make(app(plugin), {
        replace: [[plugin, TestTemplates.layer({ "orders/order": "<%= it.total %>" })]]
      })
      expect((yield* shop.get("/orders/7")).text).toBe("7")
    })
  )
})

describe("data", () => {
  it.effect("is checked, and has nothing that its schema does not have", () =>
    Effect.gen(function* () {
      class Money extends Schema.Class<Money>("Money")({ cents: Schema.Int }) {
        get text() {
          return `${this.cents / 100} EUR`
        }
      }
      const bill = Templates.make("bill", {
        data: Schema.Struct({ due: Schema.Date, sum: Money, to: Schema.optionalKey(Schema.String) })
      })
      const { render } = yield* service(
        [
          Templates.memory({
            bill: `<%= it.sum.text %> <%= it.due.toISOString() %> <%= Object.keys(it).join() %><%= include("part") %>`,
            part: ` <%= it.sum.text %>`
          })
        ],
        { templates: [bill] }
      )
      const data = { due: new Date(0), sum: new Money({ cents: 50 }) }
      const more = { ...data, password: "secret" }
      expect((yield* render(bill, more)).markup).toBe(
        "0.5 EUR 1970-01-01T00:00:00.000Z due,sum 0.5 EUR"
      )
      const wrong = { ...data, due: "today" as unknown as Date }
      expect(yield* Effect.flip(render(bill, wrong))).toMatchObject({
        _tag: "TemplateError",
        reason: expect.stringContaining("its data does not fit its schema"),
        template: "bill"
      })
      const other = Templates.make("other", { data: Schema.Struct({}) })
      expect((yield* Effect.flip(render(other, {}))).message).toBe(
        'Template "other": it is not listed. Add it to the templates of the plugin'
      )
    })
  )

  it.effect("a field that the schema does not have keeps the app from starting", () =>
    Effect.gen(function* () {
      const problems = (data: Schema.Top, text: string) =>
        service([Templates.memory({ bill: text })], {
          templates: [Templates.make("bill", { data })]
        }).pipe(
          Effect.as<ReadonlyArray<string>>([]),
          Effect.catch(({ problems }) => Effect.succeed(problems.map(({ message }) => message)))
        )
      const Bill = Schema.Struct({ sum: Schema.Int, to: Schema.optionalKey(Schema.String) })
      const wrong = "<%= it.sum %>\n<% if (it?.to) { %><%= it.sume %><% } %><%= it.body %>"
      expect(yield* problems(Bill, wrong)).toEqual([
        'Template "bill", line 2: it reads it.body, and the schema of its data has no such field. Correct the name, or add the field to the schema',
        'Template "bill", line 2: it reads it.sume, and the schema of its data has no such field. Correct the name, or add the field to the schema'
      ])
      for (const text of [
        "<%= it.sum %><%= it.to ?? '' %>",
        `<%= "it.none" + 'it.none' %><% /* it.none */ %><% // it.none\n %> it.none <%= this_it.none %>`,
        "<% [1].map((it) => it.none) %>",
        "<% [1].map(it => it.none) %>",
        "<%= `it's ${it.sum}` + 'it.none' %>",
        "<% [1].forEach(function (it, i) { %><%= it.none %><% }) %>",
        "<% for (const it of [1]) { %><%= it.none %><% } %>",
        "<%= include('bill', it).none %>"
      ]) {
        expect(yield* problems(Bill, text), text).toEqual([])
      }
      class Total extends Schema.Class<Total>("Total")({ cents: Schema.Int }) {
        get text() {
          return `${this.cents}`
        }
      }
      expect(yield* problems(Total, "<%= it.text %>")).toEqual([])
      expect(yield* problems(Schema.Record(Schema.String, Schema.String), "<%= it.x %>")).toEqual(
        []
      )
    })
  )

  it.effect("a partial has the methods of a class", () =>
    Effect.gen(function* () {
      class Person extends Schema.Class<Person>("Person")({ name: Schema.String }) {
        get greeting() {
          return `Hello, ${this.name}`
        }
      }
      const person = Templates.make("person", { data: Person })
      const { render } = yield* service(
        [
          Templates.memory({
            part: "<%= it.greeting %><%= it.end %>",
            person: `<%= include("part", { end: "!" }) %>`
          })
        ],
        { templates: [person] }
      )
      expect((yield* render(person, new Person({ name: "Ada" }))).markup).toBe("Hello, Ada!")
    })
  )

  it("of a name that is none, make says what to write", () => {
    for (const name of ["", "../x", "/x", "a/../b", "a\\b", ".hidden", "a/", "x".repeat(201)]) {
      expect(() => Templates.make(name, { data: Schema.Struct({}) })).toThrow(
        "Write its path from the directory of the templates"
      )
    }
    expect(() => Templates.make("a.eta", { data: Schema.Struct({}) })).toThrow('as in "a"')
  })
})

describe("Templates.directory", () => {
  const problems = (path: string) =>
    Effect.map(
      Effect.flip(service([Templates.directory(path)], { templates: [] })),
      ({ message }) => message
    )

  it.effect("reads UTF-8 with or without a mark, and refuses other files", () =>
    Effect.gen(function* () {
      const path = yield* temporary
      const page = Templates.make("page", { data: Schema.Struct({}) })
      yield* write(path, "page.eta", "\uFEFFgrün")
      yield* write(path, ".hidden.eta", "<% if { %>")
      yield* write(path, "notes.txt", "<% if { %>")
      const { render } = yield* service([Templates.directory(path)], { templates: [page] })
      expect((yield* render(page, {})).markup).toBe("grün")
      yield* write(path, "latin.eta", new Uint8Array([0x67, 0xfc]))
      yield* write(path, "with space.eta", "")
      yield* write(path, "folder.eta/x.eta", "")
      const message = yield* problems(path)
      expect(message).toContain('Template "latin": the file is not UTF-8 text')
      expect(message).toContain('Template "with space": it is no name of a template')
      expect(message).toContain("The templates have 2 problems")
    })
  )

  it.effect("follows links that stay in the directory, and refuses others", () =>
    Effect.gen(function* () {
      const path = yield* temporary
      const outside = yield* temporary
      const page = Templates.make("page", { data: Schema.Struct({}) })
      yield* write(path, "v1/page.eta", "text")
      yield* write(outside, "secret.eta", "secret")
      yield* Effect.promise(() => symlink("v1/page.eta", join(path, "page.eta")))
      const { render } = yield* service([Templates.directory(path)], { templates: [page] })
      expect((yield* render(page, {})).markup).toBe("text")
      for (const [target, reason] of [
        [join(outside, "secret.eta"), "leads out of the directory"],
        [outside, "leads out of the directory"],
        [".", "contains it"],
        ["nowhere", "ENOENT"]
      ] as const) {
        const link = join(path, "link.eta")
        yield* Effect.promise(() => symlink(target, link))
        expect(yield* problems(path)).toContain(reason)
        yield* Effect.promise(() => rm(link))
      }
    })
  )
})
