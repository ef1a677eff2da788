/** Pages of lists, and the defaults that callers leave out. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { App, Plugin, Route } from "flange"
import { Pagination } from "flange/Contract"
import { TestApp } from "flange/Testing"

const withDefault = Schema.String.pipe(
  Schema.withDecodingDefaultKey(Effect.succeed("short")),
  Schema.withConstructorDefault(Effect.succeed("made"))
)

const Item = Schema.Struct({
  count: Schema.Int.pipe(Schema.withDecodingDefault(Effect.succeed(1))),
  name: Schema.String,
  note: Schema.optionalKey(Schema.String),
  since: Schema.DateFromString.pipe(
    Schema.withDecodingDefaultTypeKey(Effect.succeed(new Date("2026-01-05T00:00:00.000Z")))
  )
})

class Named extends Schema.Class<Named>("Named")({ form: withDefault, name: Schema.String }) {}

const ItemsApi = HttpApiGroup.make("items").add(
  HttpApiEndpoint.post("add", "/items", { payload: Item, success: Item }),
  HttpApiEndpoint.post("addEither", "/either", {
    payload: [Item, Schema.Struct({ only: Schema.String })],
    success: Schema.String
  }),
  HttpApiEndpoint.post("addList", "/list", {
    payload: Schema.Array(Schema.String),
    success: Schema.Array(Schema.String)
  }),
  HttpApiEndpoint.post("addNamed", "/named", { payload: Named, success: Named }),
  HttpApiEndpoint.get("find", "/items/find", {
    query: { ...Pagination.query, form: withDefault, word: Schema.String },
    success: Schema.String
  }),
  HttpApiEndpoint.get("list", "/items", {
    query: Pagination.query,
    success: Pagination.Page(Schema.String)
  })
)

const TopApi = HttpApiGroup.make("top", { topLevel: true }).add(
  HttpApiEndpoint.get("pages", "/pages", {
    query: Pagination.query,
    success: Pagination.Page(Schema.String)
  })
)

const app = App.make("pages", [
  Plugin.make("pages", {
    routes: [
      Route.public(ItemsApi, (handlers) =>
        handlers.handleAll({
          add: ({ payload }) => Effect.succeed(payload),
          addEither: ({ payload }) => Effect.succeed(Object.keys(payload).join()),
          addList: ({ payload }) => Effect.succeed(payload),
          addNamed: ({ payload }) => Effect.succeed(payload),
          find: ({ query: { form, limit, page, word } }) =>
            Effect.succeed(`${word} ${form} ${limit} ${page}`),
          list: ({ query }) => Effect.succeed(Pagination.make(query, ["a"], 1))
        })
      ),
      Route.public(TopApi, (handlers) =>
        handlers.handleAll({
          pages: ({ query }) => Effect.succeed(Pagination.make(query, [], 0))
        })
      )
    ]
  })
])

describe("the typed client", () => {
  it.effect("needs neither limit nor page", () =>
    Effect.gen(function* () {
      const { client } = yield* TestApp.make(app)
      const whole = { items: ["a"], limit: 50, page: 1, total: 1 }
      assert.deepStrictEqual(yield* client.items.list({ query: {} }), whole)
      assert.deepStrictEqual(yield* client.items.list({ query: { page: 3 } }), {
        ...whole,
        page: 3
      })
      assert.deepStrictEqual(yield* client.items.list({ query: { limit: 7, page: 2 } }), {
        ...whole,
        limit: 7,
        page: 2
      })
      assert.deepStrictEqual(yield* client.pages({ query: { limit: 2 } }), {
        items: [],
        limit: 2,
        page: 1,
        total: 0
      })
    })
  )

  it.effect("needs no field of a query that has a default", () =>
    Effect.gen(function* () {
      const { client } = yield* TestApp.make(app)
      assert.strictEqual(yield* client.items.find({ query: { word: "w" } }), "w short 50 1")
      assert.strictEqual(
        yield* client.items.find({ query: { form: "long", limit: 5, word: "w" } }),
        "w long 5 1"
      )
    })
  )

  it.effect("needs no field of a payload that has a default", () =>
    Effect.gen(function* () {
      const { client } = yield* TestApp.make(app)
      const since = new Date("2026-01-05T00:00:00.000Z")
      assert.deepStrictEqual(yield* client.items.add({ payload: { name: "a" } }), {
        count: 1,
        name: "a",
        since
      })
      assert.deepStrictEqual(
        yield* client.items.add({ payload: { count: 3, name: "a", note: "b" } }),
        { count: 3, name: "a", note: "b", since }
      )
    })
  )

  it.effect("sends classes, lists and one of several payloads as they are", () =>
    Effect.gen(function* () {
      const { client } = yield* TestApp.make(app)
      const named = new Named({ name: "a" })
      assert.deepStrictEqual(yield* client.items.addNamed({ payload: named }), named)
      assert.deepStrictEqual(yield* client.items.addList({ payload: ["a"] }), ["a"])
      const since = new Date(0)
      assert.strictEqual(
        yield* client.items.addEither({ payload: { count: 1, name: "a", since } }),
        "count,name,since"
      )
      assert.strictEqual(yield* client.items.addEither({ payload: { only: "a" } }), "only")
    })
  )
})

describe("a page", () => {
  it.effect("is refused outside of the bounds", () =>
    Effect.gen(function* () {
      const api = yield* TestApp.make(app)
      for (const query of ["limit=0", "limit=501", "limit=x", "page=0", "page=1.5"]) {
        const reply = yield* api.get(`/items?${query}`)
        reply.expectProblem("VALIDATION_FAILED", 400, { errors: [{ location: "query" }] })
      }
    })
  )
})
