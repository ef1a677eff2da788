/** Contracts that no request can satisfy. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Multipart from "effect/http/Multipart"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import { App, Plugin, Route } from "flange"
import { assert, describe, it } from "vitest"
import * as Impossible from "../../../src/Server/Codec/Impossible.ts"
import * as generatedApi from "../generatedApi.ts"

const get = HttpApiEndpoint.get
const post = HttpApiEndpoint.post

const pluginOf = (...endpoints: ReadonlyArray<HttpApiEndpoint.Constraint>) =>
  Plugin.make("app:items", {
    routes: [
      Route.public(
        // A list has no types for its handlers, and no handler is called.
        HttpApiGroup.make("items").add(...(endpoints as never)) as never,
        (() => Effect.die("not called")) as never
      ) as Route.Route<never, never>
    ]
  })

const problemsOf = (...endpoints: ReadonlyArray<HttpApiEndpoint.Constraint>) =>
  Impossible.problems([pluginOf(...endpoints)])

const Inner = Schema.Struct({ a: Schema.String })

const list = Schema.Array(Schema.String)

/** A list in one text. */
const split = Schema.String.pipe(
  Schema.decodeTo(Schema.Array(Schema.String), {
    decode: SchemaGetter.split(),
    encode: SchemaGetter.transform((items: ReadonlyArray<string>) => items.join())
  })
)

// The types of endpoints refuse some of these.
const loose = (schema: unknown) => schema as Schema.Struct<{ a: typeof Schema.String }>

describe("a part of a contract that no request can have is a problem of assembly", () => {
  it.each<[part: string, endpoint: HttpApiEndpoint.Constraint]>([
    ['header "x-l"', get("a", "/a", { headers: { "x-l": list } })],
    ['header "x-l"', get("a", "/a", { headers: { "x-l": Schema.optionalKey(list) } })],
    ['header "x-l"', get("a", "/a", { headers: { "x-l": Schema.Tuple([Schema.Int]) } })],
    ['header "x-s"', get("a", "/a", { headers: { "x-s": Inner } })],
    ['header "x-n"', get("a", "/a", { headers: { "x-n": Schema.Never } })],
    ['header "X-Up"', get("a", "/a", { headers: { "X-Up": Schema.String } })],
    ['header "x y"', get("a", "/a", { headers: { "x y": Schema.String } })],
    ["any header", get("a", "/a", { headers: Schema.Record(Schema.String, list) })],
    ['path parameter "id"', get("a", "/a/:id", { params: { id: list } })],
    ['path parameter "id"', get("a", "/a/:id", { params: { id: Inner } })],
    ['path parameter "other"', get("a", "/a/:id", { params: { other: Schema.String } })],
    ['path parameter "*"', get("a", "/a/:id", { params: { "*": Schema.String } })],
    ['query parameter "q"', get("a", "/a", { query: { q: Inner } })],
    ['query parameter "q"', get("a", "/a", { query: { q: Schema.Array(list) } })],
    ['query parameter "q"', get("a", "/a", { query: { q: Schema.Array(Inner) } })],
    ['query parameter "q"', get("a", "/a", { payload: { q: Inner } })],
    [
      "GET has no body",
      get("a", "/a", { payload: loose(Inner.pipe(HttpApiSchema.asJson())) as never })
    ],
    [
      'field "f"',
      post("a", "/a", {
        payload: Schema.Struct({ f: Inner }).pipe(HttpApiSchema.asFormUrlEncoded())
      })
    ],
    [
      'field "f"',
      post("a", "/a", { payload: Schema.Struct({ f: Inner }).pipe(HttpApiSchema.asMultipart()) })
    ],
    [
      'field "f"',
      post("a", "/a", {
        payload: Schema.Struct({ f: Schema.Array(Inner) }).pipe(HttpApiSchema.asMultipart())
      })
    ],
    [
      'field "f"',
      post("a", "/a", {
        payload: Schema.Struct({ f: Schema.Array(list) }).pipe(HttpApiSchema.asMultipart())
      })
    ],
    [
      "the schema is no struct",
      post("a", "/a", { payload: loose(list).pipe(HttpApiSchema.asFormUrlEncoded()) })
    ],
    [
      "its payload is a text",
      post("a", "/a", {
        payload: (Inner as never as typeof Schema.String).pipe(HttpApiSchema.asText())
      })
    ]
  ])("%s: %#", (part, endpoint) => {
    const { method, path } = endpoint as HttpApiEndpoint.Top
    const [problem, ...others] = problemsOf(endpoint)
    assert.deepStrictEqual(others, [])
    assert.deepInclude(problem, { kind: "ImpossibleRequest", plugins: ["app:items"] })
    assert.include(
      problem?.message,
      `No request can satisfy ${method} ${path} ("a" of group "items", plugin "app:items"): `
    )
    assert.include(problem?.message, part)
  })

  it("the report of the app names it with its advice", async () => {
    const web = App.toWebHandler(
      App.make("shop", [pluginOf(get("list", "/items", { headers: { "x-l": list } }))], {
        config: { values: {}, variables: {} }
      }) as App.Any
    )
    const error = await web.handler(new Request("http://app/")).then(
      () => undefined,
      (error: unknown) => error as Error
    )
    await web.dispose()
    assert.strictEqual(
      error?.message,
      [
        'App "shop" cannot be assembled:',
        '  - ImpossibleRequest: No request can satisfy GET /items ("list" of group "items", plugin "app:items"): the header "x-l" cannot be sent: a header is one text. Write a schema that decodes a text; for a list with commas Schema.String.pipe(Schema.decodeTo(Schema.Array(Schema.String), { decode: SchemaGetter.split(), encode: SchemaGetter.transform((list) => list.join()) })).'
      ].join("\n")
    )
  })
})

describe("a part of a contract that some request can have is none", () => {
  const Tree: Schema.Codec<unknown, string> = Schema.suspend(() => Schema.String)

  it.each<[endpoint: HttpApiEndpoint.Constraint]>([
    [get("a", "/a", { headers: { "x-a": split, "x-c": Schema.Int } })],
    [get("a", "/a", { headers: { "x-a": Schema.optionalKey(Schema.Never) } })],
    [get("a", "/a", { headers: { "x-a": Schema.optional(Schema.Literals(["a", 1])) } })],
    [get("a", "/a", { headers: { "x-a": Schema.Union([list, Schema.String]) } })],
    [get("a", "/a", { headers: { "x-a": Schema.Date, "x-b": Schema.BigInt } })],
    [get("a", "/a", { headers: { "x-a": Schema.fromJsonString(Inner), "x-b": Tree } })],
    [get("a", "/a", { headers: Schema.Record(Schema.String, Schema.Unknown) as never })],
    [get("a", "/a/:id/*", { params: { "*": Schema.String, id: Schema.Int } })],
    [get("a", "/a/:id?", { params: { id: Schema.optionalKey(Schema.Boolean) } })],
    [get("a", "/a/:id(\\d+)", { params: { id: Schema.Int } })],
    [get("a", "/a/:from-:to", { params: { from: Schema.Int, to: Schema.Int } })],
    [get("a", "/a", { query: { q: list, r: Schema.Array(Schema.Int), s: Schema.NullOr(list) } })],
    [get("a", "/a", { query: { q: Schema.Tuple([Schema.Int, Schema.Date]) } })],
    [get("a", "/a", { payload: { q: list } })],
    [post("a", "/a", { payload: Schema.Struct({ f: Inner }) })],
    [
      post("a", "/a", {
        payload: Schema.UndefinedOr(Schema.Struct({ f: list })).pipe(
          HttpApiSchema.asFormUrlEncoded()
        )
      })
    ],
    [
      post("a", "/a", {
        payload: Schema.Struct({
          all: Multipart.FilesSchema,
          f: Schema.Int,
          one: Schema.optionalKey(Multipart.SingleFileSchema)
        }).pipe(HttpApiSchema.asMultipart())
      })
    ],
    [
      post("a", "/a", {
        payload: Schema.Union([
          Schema.Struct({ f: Schema.String }),
          Schema.Struct({ f: Inner })
        ]).pipe(HttpApiSchema.asFormUrlEncoded())
      })
    ],
    [post("a", "/a", { payload: Schema.FiniteFromString.pipe(HttpApiSchema.asText()) })]
  ])("%#", (endpoint) => {
    assert.deepStrictEqual(problemsOf(endpoint), [])
  })

  it("generated contracts", () => {
    for (let seed = 0; seed < 20; seed++) {
      assert.deepStrictEqual(Impossible.problems([generatedApi.plugin(seed, 40)]), [])
    }
  })
})
