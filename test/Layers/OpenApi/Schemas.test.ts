/** The document states what the contract declares. */
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as EffectOpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { Pagination } from "flange"
import * as OpenApi from "flange/OpenApi"
import { assert, describe, expect, it } from "vitest"
import { documentOf, group, type Json, plugin } from "./valid.ts"

const documented = (...endpoints: ReadonlyArray<HttpApiEndpoint.Constraint>) =>
  documentOf({
    id: "schemas",
    plugins: [OpenApi.plugin, plugin("test:schemas", group("schemas", ...endpoints))]
  })

/** The schema of one member of a body, without what it refers to. */
const inBody = async (field: Schema.Top): Promise<Json> => {
  const payload = Schema.Struct({ field })
  const { paths } = await documented(HttpApiEndpoint.post("a", "/a", { payload }))
  return paths["/a"].post.requestBody.content["application/json"].schema
}

const inQuery = async (field: Schema.Top): Promise<Json> => {
  const query = Schema.Struct({ field }) as Schema.Top as Schema.Struct<{}>
  const { paths } = await documented(HttpApiEndpoint.get("a", "/a", { query }))
  return paths["/a"].get.parameters[0]
}

const text = { type: "string" }
const safe = { maximum: Number.MAX_SAFE_INTEGER, minimum: Number.MIN_SAFE_INTEGER }

describe("a member of a body", () => {
  it.each<[string, Schema.Top, Json]>([
    ["minimal length", Schema.String.check(Schema.isMinLength(2)), { ...text, minLength: 2 }],
    ["maximal length", Schema.String.check(Schema.isMaxLength(9)), { ...text, maxLength: 9 }],
    [
      "length",
      Schema.String.check(Schema.isBetweenLength(3, 7)),
      { ...text, maxLength: 7, minLength: 3 }
    ],
    [
      "several rules",
      Schema.String.check(
        Schema.isMinLength(3),
        Schema.isMaxLength(7),
        Schema.isPattern(/^[a-z]+$/)
      ),
      { ...text, maxLength: 7, minLength: 3, pattern: "^[a-z]+$" }
    ],
    [
      "pattern",
      Schema.String.check(Schema.isPattern(/^[a-z]\d+$/)),
      { ...text, pattern: "^[a-z]\\d+$" }
    ],
    [
      "pattern with u",
      Schema.String.check(Schema.isPattern(/^\p{L}+$/u)),
      { ...text, pattern: "^\\p{L}+$" }
    ],
    [
      "pattern with i",
      Schema.String.check(Schema.isPattern(/^ab[c-e]$/i)),
      { ...text, pattern: "^[aA][bB][C-Ec-e]$" }
    ],
    [
      "pattern with an escape",
      Schema.String.check(Schema.isPattern(new RegExp("^a\\-b\\_c$"))),
      { ...text, pattern: "^a-b_c$" }
    ],
    [
      "bounds",
      Schema.Finite.check(Schema.isGreaterThan(0), Schema.isLessThanOrEqualTo(1.5)),
      { exclusiveMinimum: 0, maximum: 1.5, type: "number" }
    ],
    ["multiple", Schema.Finite.check(Schema.isMultipleOf(5)), { multipleOf: 5, type: "number" }],
    ["integer", Schema.Int, { ...safe, type: "integer" }],
    [
      "bounds of an integer",
      Schema.Int.check(Schema.isBetween({ maximum: 9, minimum: 1 })),
      { maximum: 9, minimum: 1, type: "integer" }
    ],
    [
      "list",
      Schema.Array(Schema.String).check(Schema.isMinLength(2), Schema.isMaxLength(3)),
      { items: text, maxItems: 3, minItems: 2, type: "array" }
    ],
    ["trimmed length", Schema.Trim.check(Schema.isMinLength(2)), { ...text, minLength: 2 }],
    [
      "description",
      Schema.Date.annotate({ description: "When", title: "Time" }),
      { ...text, description: "When", format: "date-time", title: "Time" }
    ],
    [
      "record without members",
      Schema.Record(Schema.String, Schema.Never),
      { additionalProperties: false, type: "object" }
    ],
    ["date", Schema.Date, { ...text, format: "date-time" }],
    ["date from text", Schema.DateFromString, { ...text, format: "date-time" }],
    ["UTC time", Schema.DateTimeUtc, { ...text, format: "date-time" }],
    ["UTC time from text", Schema.DateTimeUtcFromString, { ...text, format: "date-time" }],
    ["UTC time from a date", Schema.DateTimeUtcFromDate, { ...text, format: "date-time" }],
    ["UTC time in milliseconds", Schema.DateTimeUtcFromMillis, { ...safe, type: "integer" }]
  ])("states its %s", async (_, schema, stated) => {
    const { properties, required } = await inBody(schema)
    assert.deepStrictEqual(properties.field, stated)
    assert.deepStrictEqual(required, ["field"])
  })

  it.each<[string, Schema.Top, unknown]>([
    ["text", Schema.String.pipe(Schema.withDecodingDefaultKey(Effect.succeed("x"))), "x"],
    ["absent or null", Schema.String.pipe(Schema.withDecodingDefault(Effect.succeed("x"))), "x"],
    [
      "list",
      Schema.Array(Schema.Int).pipe(Schema.withDecodingDefaultKey(Effect.succeed([1]))),
      [1]
    ],
    [
      "date",
      Schema.Date.pipe(Schema.withDecodingDefaultTypeKey(Effect.succeed(new Date(0)))),
      "1970-01-01T00:00:00.000Z"
    ]
  ])("states its default: %s", async (_, schema, value) => {
    const { properties, required = [] } = await inBody(schema)
    assert.deepStrictEqual(properties.field.default, value)
    assert.deepStrictEqual(required, [])
  })

  it("has no default that differs from request to request", async () => {
    const now = Effect.sync(() => performance.now())
    const { properties } = await inBody(Schema.Finite.pipe(Schema.withDecodingDefaultKey(now)))
    assert.deepStrictEqual(properties.field, { type: "number" })
  })
})

it("a number that a body holds as text states its notation", async () => {
  const { properties } = await inBody(Schema.FiniteFromString)
  const { pattern, type } = properties.field
  assert.strictEqual(type, "string")
  for (const number of ["1", "-1.5", "2e10"]) assert.match(number, new RegExp(pattern, "u"))
  for (const other of ["", "x", "1,5", "NaN", "+2e10", ".5", "05", "0x10"])
    assert.notMatch(other, new RegExp(pattern, "u"))
})

describe("a parameter", () => {
  it.each<[string, Schema.Top, Json]>([
    ["integer", Schema.Int, { ...safe, type: "integer" }],
    ["number", Schema.Finite, { type: "number" }],
    ["number from text", Schema.FiniteFromString, { type: "number" }],
    [
      "bounded number from text",
      Schema.FiniteFromString.check(Schema.isBetween({ maximum: 1, minimum: 0 })),
      { maximum: 1, minimum: 0, type: "number" }
    ],
    ["boolean", Schema.Boolean, { type: "boolean" }],
    ["choice of numbers", Schema.Literals([1, 2]), { enum: [1, 2], type: "number" }],
    [
      "list of integers",
      Schema.Array(Schema.Int),
      { items: { ...safe, type: "integer" }, type: "array" }
    ],
    ["date", Schema.Date, { ...text, format: "date-time" }],
    ["minimal length", Schema.String.check(Schema.isMinLength(2)), { ...text, minLength: 2 }]
  ])("states its type: %s", async (_, schema, stated) => {
    const { required, schema: own } = await inQuery(schema)
    assert.deepStrictEqual(own, stated)
    assert.isTrue(required)
    const optional = await inQuery(Schema.optional(schema))
    assert.deepStrictEqual(optional.schema, stated)
    assert.isFalse(optional.required)
  })

  it("a text that stands for a boolean stays a text", async () => {
    const yes = Schema.Literals(["yes", "no"]).pipe(
      Schema.decodeTo(Schema.Boolean, {
        decode: { run: () => Effect.succeed(true) },
        encode: { run: () => Effect.succeed("yes") }
      } as never)
    )
    const { schema } = await inQuery(yes)
    assert.deepStrictEqual(schema, { ...text, enum: ["yes", "no"] })
  })

  it("the page and the limit of Pagination are numbers with their bounds and defaults", async () => {
    const { paths } = await documented(
      HttpApiEndpoint.get("a", "/a", { query: Pagination.query, success: Schema.String })
    )
    const [limit, page] = paths["/a"].get.parameters
    expect(limit).toStrictEqual({
      in: "query",
      name: "limit",
      required: false,
      schema: { default: 50, maximum: 500, minimum: 1, type: "integer" }
    })
    expect(page).toMatchObject({
      name: "page",
      schema: { default: 1, minimum: 1, type: "integer" }
    })
  })

  it("parameters of the path and headers state their types as those of the query", async () => {
    const { paths } = await documented(
      HttpApiEndpoint.get("a", "/a/:id", {
        headers: { "x-count": Schema.Int.check(Schema.isBetween({ maximum: 9, minimum: 1 })) },
        params: { id: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)) }
      })
    )
    const [id, count] = paths["/a/{id}"].get.parameters
    expect(id).toMatchObject({
      in: "path",
      required: true,
      schema: { minimum: 1, type: "integer" }
    })
    expect(count).toMatchObject({
      in: "header",
      schema: { maximum: 9, minimum: 1, type: "integer" }
    })
  })
})

describe("a body", () => {
  const Item = Schema.Struct({ id: Schema.Int })

  it.each<[string, ReadonlyArray<Schema.Top> | Schema.Top, boolean]>([
    ["a struct", Item, true],
    ["a struct or undefined", Schema.UndefinedOr(Item), false],
    ["a struct or no content", [Item, HttpApiSchema.NoContent], false]
  ])("%s is required: %s", async (_, payload, _types, required = _types) => {
    const { paths } = await documented(
      HttpApiEndpoint.post("a", "/a", { payload: payload as typeof Item })
    )
    const { requestBody } = paths["/a"].post
    assert.strictEqual(requestBody.required, required)
    expect(requestBody.content["application/json"].schema).toStrictEqual({
      properties: { id: { ...safe, type: "integer" } },
      required: ["id"],
      type: "object"
    })
  })

  it("a body that may be null may be empty", async () => {
    const { paths } = await documented(
      HttpApiEndpoint.post("a", "/a", { payload: [Item, Schema.Null] })
    )
    assert.isFalse(paths["/a"].post.requestBody.required)
  })

  it("an endpoint with a method that has no body has none", async () => {
    const { paths } = await documented(
      HttpApiEndpoint.get("a", "/a", { payload: Schema.Struct({ q: Schema.Int }) as never })
    )
    const { parameters, requestBody } = paths["/a"].get
    assert.isUndefined(requestBody)
    expect(parameters).toMatchObject([{ in: "query", name: "q", schema: { type: "integer" } }])
  })
})

describe("a JSON text and a stream", () => {
  it("state their values as bodies do", async () => {
    const Named = Schema.Struct({
      at: Schema.Date,
      code: Schema.String.check(Schema.isMinLength(2))
    }).annotate({ identifier: "Named" })
    const { components, paths } = await documented(
      HttpApiEndpoint.post("a", "/a", {
        payload: Schema.Struct({ text: Schema.fromJsonString(Named) }),
        success: Named
      }),
      HttpApiEndpoint.get("b", "/b", { success: HttpApiSchema.StreamNdjson({ schema: Named }) }),
      HttpApiEndpoint.get("c", "/c", { success: HttpApiSchema.StreamSse({ data: Named }) })
    )
    const reference = { $ref: "#/components/schemas/Named" }
    const { schema } = paths["/a"].post.requestBody.content["application/json"]
    expect(schema.properties.text).toStrictEqual({ $ref: "#/components/schemas/NamedEncoded" })
    expect(components.schemas.NamedEncoded).toStrictEqual({
      contentMediaType: "application/json",
      contentSchema: reference,
      type: "string"
    })
    const lines: any = Object.values(paths["/b"].get.responses[200].content)[0]
    expect(lines.schema).toStrictEqual(reference)
    const events: any = Object.values(paths["/c"].get.responses[200].content)[0]
    expect(events.schema.properties.data).toStrictEqual(schema.properties.text)
    expect(components.schemas.Named.properties).toStrictEqual({
      at: { ...text, format: "date-time" },
      code: { ...text, minLength: 2 }
    })
    assert.notProperty(components.schemas, "Named_1")
  })
})

describe("additionalProperties", () => {
  const Item = Schema.Struct({ id: Schema.Int })
  const schemas = async (endpoint: HttpApiEndpoint.Constraint) => {
    const { paths } = await documented(endpoint)
    const { requestBody, responses } = paths["/a"].post
    return [requestBody, responses[200]].map(({ content }) => content["application/json"].schema)
  }

  it("is not stated if the server ignores unknown members", async () => {
    const endpoint = HttpApiEndpoint.post("a", "/a", { payload: Item, success: Item })
    for (const schema of await schemas(endpoint)) {
      assert.notProperty(schema, "additionalProperties")
    }
  })

  it("is false if the endpoint refuses unknown members of a body", async () => {
    const endpoint = HttpApiEndpoint.post("a", "/a", { payload: Item, success: Item }).annotate(
      HttpApi.PayloadParseOptions,
      { onExcessProperty: "error" }
    )
    const [request, reply] = await schemas(endpoint)
    assert.isFalse(request.additionalProperties)
    assert.notProperty(reply, "additionalProperties")
  })

  it("a record ignores members whose name it does not take", async () => {
    const Names = Schema.Record(Schema.String.check(Schema.isMinLength(2)), Schema.Int)
    const [request] = await schemas(
      HttpApiEndpoint.post("a", "/a", { payload: Names, success: Item })
    )
    assert.notProperty(request, "propertyNames")
  })

  it("is the schema of the values of a record", async () => {
    const Names = Schema.Record(Schema.String, Schema.Int)
    const [request] = await schemas(
      HttpApiEndpoint.post("a", "/a", { payload: Names, success: Item })
    )
    expect(request.additionalProperties).toMatchObject({ type: "integer" })
  })
})

// What Flange mends at its border. If one of these fails, Effect has mended it: take the
// part of src/Layers/OpenApi that is named out.
describe("Effect's own document", () => {
  const plain = (endpoint: HttpApiEndpoint.Constraint): Json =>
    EffectOpenApi.fromApi(HttpApi.make("plain").add(group("g", endpoint))).paths

  const body = (field: Schema.Top) =>
    plain(HttpApiEndpoint.post("a", "/a", { payload: Schema.Struct({ field }) }))["/a"].post
      .requestBody

  it("weakens lengths and patterns (WireSchema.exact)", () => {
    const of = (field: Schema.Top) =>
      body(field).content["application/json"].schema.properties.field
    assert.strictEqual(of(Schema.String.check(Schema.isMinLength(2))).minLength, 1)
    assert.notProperty(of(Schema.String.check(Schema.isPattern(/^a$/))), "pattern")
  })

  it("has no formats for dates and no defaults (WireSchema.dates, defaultOf)", () => {
    const { properties } = body(Schema.Date).content["application/json"].schema
    assert.notProperty(properties.field, "format")
    const fallback = Schema.String.pipe(Schema.withDecodingDefaultKey(Effect.succeed("x")))
    const { schema } = body(fallback).content["application/json"]
    assert.notProperty(schema.properties.field, "default")
  })

  it("refuses unknown members that the server ignores (JsonSchema.opened)", () => {
    assert.isFalse(body(Schema.String).content["application/json"].schema.additionalProperties)
  })

  it("states numbers of a query as texts (Described.texts)", () => {
    const paths = plain(HttpApiEndpoint.get("a", "/a", { query: { n: Schema.Int } }))
    assert.strictEqual(paths["/a"].get.parameters[0].schema.type, "string")
  })

  it("requires bodies that may be absent (Described.withOptionalBody)", () => {
    const payload = Schema.UndefinedOr(Schema.Struct({ id: Schema.Int }))
    const paths = plain(HttpApiEndpoint.post("a", "/a", { payload }))
    assert.isTrue(paths["/a"].post.requestBody.required)
  })

  it("does not know wildcards and optional parameters (PathTemplate)", () => {
    const paths = plain(HttpApiEndpoint.get("a", "/a/*", { params: { "*": Schema.String } }))
    assert.hasAllKeys(paths, ["/a/*"])
  })
})
