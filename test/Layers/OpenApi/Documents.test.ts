/** Documents of whole apps. */
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { Created, Pagination, Plugin } from "flange"
import * as OpenApi from "flange/OpenApi"
import { assert, describe, expect, it } from "vitest"
import { app as recipe } from "../../../examples/recipe-api/app.ts"
import { app as sample } from "../../../examples/sample-api/app.ts"
import { plugin as generated, random } from "../../Server/generatedApi.ts"
import { assertValid, documentOf, group, type Json, plugin } from "./valid.ts"

const logging = { level: "none" }

describe("the document of an example", () => {
  it("sample-api is valid", async () => {
    const { paths } = await documentOf(sample, { logging })
    assert.property(paths, "/v1/items/{id}")
  })

  it("recipe-api is valid", async () => {
    const auth = { apiKey: "k".repeat(40), jwtSecret: "s".repeat(40) }
    const { paths } = await documentOf(recipe, { auth, logging })
    assert.property(paths, "/v1/orders")
  })
})

it.each([1, 2, 3, 4, 5, 6, 7, 8])("a generated API is valid, seed %d", async (seed) => {
  const { paths } = await documentOf({ id: "test", plugins: [OpenApi.plugin, generated(seed, 6)] })
  assert.property(paths, "/echo/0/{id}")
})

/** Schemas of every kind, by what they are. */
const Item = Schema.Struct({ at: Schema.Date, id: Schema.Int }).annotate({ identifier: "Item" })
class Order extends Schema.Class<Order>("Order")({
  id: Schema.String.check(Schema.isUUID()),
  items: Schema.NonEmptyArray(Item),
  note: Schema.optional(Schema.String)
}) {}
interface Tree {
  readonly children: ReadonlyArray<Tree>
  readonly name: string
}
const Tree = Schema.Struct({
  children: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree)),
  name: Schema.String
}).annotate({ identifier: "Tree" })

const kinds: ReadonlyArray<() => Schema.Top> = [
  () => Item,
  () => Order,
  () => Tree,
  () => Schema.BigInt,
  () => Schema.Boolean,
  () => Schema.Date,
  () => Schema.DateTimeUtc,
  () => Schema.DateTimeUtcFromMillis,
  () => Schema.DateTimeZonedFromString,
  () => Schema.Duration,
  () => Schema.Enum({ A: "a", B: "b" }),
  () => Schema.FiniteFromString,
  () => Schema.Int.check(Schema.isBetween({ maximum: 9, minimum: 1 })),
  () => Schema.Literals(["a", 1, true]),
  () => Schema.NullOr(Schema.NonEmptyString),
  () => Schema.Number,
  () => Schema.Option(Schema.String),
  () => Schema.Record(Schema.String, Schema.Int),
  () => Schema.Record(Schema.TemplateLiteral(["x-", Schema.String]), Schema.String),
  () => Schema.String.check(Schema.isPattern(/^[\w\-_.~]+\/\d{1,3}$/i), Schema.isMaxLength(20)),
  () => Schema.Struct({}),
  () => Schema.TemplateLiteral(["v", Schema.Int]),
  () => Schema.Trim,
  () => Schema.Tuple([Schema.String, Schema.Int]),
  () => Schema.TupleWithRest(Schema.Tuple([Schema.String]), [Schema.Boolean]),
  () => Schema.URL,
  () => Schema.Uint8ArrayFromBase64,
  () => Schema.Union([Schema.TaggedStruct("A", { a: Schema.Int }), Schema.TaggedStruct("B", {})]),
  () => Schema.Unknown,
  () => Schema.UniqueArray(Schema.String)
]

/** An API whose shapes come from a seed. */
const manyKinds = (seed: number) => {
  const next = random(seed)
  const schema = (depth: number): Schema.Top => {
    const pick = Math.floor(next() * (kinds.length + (depth > 0 ? 3 : 0)))
    const kind = kinds[pick]
    if (kind !== undefined) return kind()
    if (pick === kinds.length) return Schema.Array(schema(depth - 1))
    if (pick === kinds.length + 1) return Schema.Union([schema(depth - 1), schema(depth - 1)])
    return struct(depth - 1)
  }
  const struct = (depth: number): Schema.Top =>
    Schema.Struct(
      Object.fromEntries(
        Array.from({ length: 1 + Math.floor(next() * 5) }, (_, i) => {
          const field = schema(depth)
          return [`f${i}`, next() < 0.4 ? Schema.optionalKey(field) : field]
        })
      )
    )
  const paths = ["/:id", "/:id?", "/*", "/:id(\\d+)", "/:a-:b", ""]
  const endpoints = Array.from({ length: 12 }, (_, i) => {
    const success = next() < 0.3 ? Created(struct(2)) : struct(2)
    return HttpApiEndpoint.post(
      `e${i}`,
      `/e${i}${paths[Math.floor(next() * paths.length)]!}` as "/",
      {
        payload: next() < 0.3 ? Schema.UndefinedOr(struct(3)) : struct(3),
        query: Pagination.query,
        success: success as Schema.Struct<{}>
      }
    )
  })
  return group("many", ...endpoints)
}

it.each(Array.from({ length: 30 }, (_, i) => i + 1))(
  "an API of many kinds is valid, seed %d",
  async (seed) => {
    const document = await documentOf({
      id: "many",
      plugins: [OpenApi.plugin, plugin("test:many", manyKinds(seed))]
    })
    for (const pattern of patternsOf(document)) assert.doesNotThrow(() => new RegExp(pattern, "u"))
  }
)

const patternsOf = (value: unknown): ReadonlyArray<string> =>
  typeof value !== "object" || value === null
    ? []
    : Object.entries(value).flatMap(([key, child]) =>
        key === "pattern" && typeof child === "string" ? [child] : patternsOf(child)
      )

it("a schema that requests and replies share is one component", async () => {
  const contract = group(
    "shared",
    HttpApiEndpoint.post("a", "/a", { payload: Item, success: [Order, Created(Item)] as never }),
    HttpApiEndpoint.post("b", "/b", { payload: Order, success: Schema.Array(Item) }),
    HttpApiEndpoint.get("c", "/c", { success: Schema.Struct({ item: Schema.optionalKey(Item) }) })
  )
  const { components } = await documentOf({
    id: "shared",
    plugins: [OpenApi.plugin, plugin("test:shared", contract)]
  })
  const own = Object.keys(components.schemas).filter((name) => /^(Item|Order)/.test(name))
  assert.sameMembers(own, ["Item", "OrderEncoded"])
})

it("multipart, text, binary and form bodies are valid", async () => {
  const contract = group(
    "bodies",
    HttpApiEndpoint.post("form", "/form", {
      payload: Schema.Struct({ n: Schema.Int, on: Schema.Boolean }).pipe(
        HttpApiSchema.asFormUrlEncoded()
      )
    }),
    HttpApiEndpoint.post("text", "/text", { payload: Schema.String.pipe(HttpApiSchema.asText()) }),
    HttpApiEndpoint.post("bytes", "/bytes", {
      payload: Schema.Uint8Array.pipe(HttpApiSchema.asUint8Array())
    }),
    HttpApiEndpoint.post("upload", "/upload", {
      payload: Schema.Struct({ at: Schema.Date, n: Schema.Int }).pipe(HttpApiSchema.asMultipart())
    })
  )
  const { paths } = await documentOf({
    id: "bodies",
    plugins: [OpenApi.plugin, plugin("test:bodies", contract)]
  })
  const of = (path: string): Json => paths[path].post.requestBody.content
  const form = of("/form")["application/x-www-form-urlencoded"].schema.properties
  expect(form).toMatchObject({ n: { type: "integer" }, on: { type: "boolean" } })
  expect(of("/upload")["multipart/form-data"].schema.properties).toMatchObject({
    at: { format: "date-time", type: "string" },
    n: { type: "integer" }
  })
  expect(of("/text")["text/plain"].schema).toStrictEqual({ type: "string" })
  expect(of("/bytes")["application/octet-stream"].schema).toMatchObject({ format: "binary" })
})

it("the validator refuses a document that is not valid", async () => {
  const refused = await assertValid({ info: {}, openapi: "3.1.0", paths: {} }).then(
    () => false,
    () => true
  )
  assert.isTrue(refused)
})

it("schemas that the app adds are those of its endpoints", async () => {
  const Extra = Schema.Struct({ at: Schema.Date }).annotate({ identifier: "Extra" })
  const contract = group("g", HttpApiEndpoint.post("a", "/a", { payload: Item }))
  const { components } = await documentOf({
    id: "extra",
    plugins: [
      OpenApi.plugin,
      plugin("test:g", contract),
      Plugin.make("test:extra", {
        annotate: (api) => api.annotate(HttpApi.AdditionalSchemas, [Item, Extra])
      })
    ]
  })
  const own = Object.keys(components.schemas).filter((name) => /^(Item|Extra)/.test(name))
  assert.sameMembers(own, ["Item", "Extra"])
  expect(components.schemas.Extra.properties.at).toStrictEqual({
    format: "date-time",
    type: "string"
  })
})
