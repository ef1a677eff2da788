// The differences between the documents of real contracts.
import * as NodeServices from "@effect/platform-node/NodeServices"
import { layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Multipart from "effect/http/Multipart"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { ApiError, App, ErrorEnvelope, Pagination, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"
import { assert } from "vitest"
import * as Changes from "../../../src/Cli/OpenApi/Changes.ts"
import * as Document from "../../../src/Cli/OpenApi/Document.ts"
import * as Report from "../../../src/Cli/OpenApi/Report.ts"
import { objectOf } from "../../../src/Cli/OpenApi/Schemas.ts"

class Missing extends ApiError.make<Missing>()(
  "Missing",
  { code: "MISSING", detail: "Not there", status: 404 },
  {}
) {}

class Closed extends ApiError.make<Closed>()(
  "Closed",
  { code: "CLOSED", detail: "The shop is closed", status: 404 },
  {}
) {}

interface Node {
  readonly children: ReadonlyArray<Node>
  readonly name: string
}

const Tree = (name: Schema.Codec<string>) => {
  const schema: Schema.Codec<Node> = Schema.Struct({
    children: Schema.Array(Schema.suspend((): Schema.Codec<Node> => schema)),
    name
  }).annotate({ identifier: "Tree" })
  return schema
}

const keys = Auth.plugin({
  default: Auth.chain([
    Auth.apiKey({
      validate: Auth.keys([{ identity: { subject: "acme" }, key: Redacted.make("key") }])
    })
  ])
})

/** The app with one endpoint, whose types differ from case to case. */
const appOf = (
  options: object,
  errors?: ErrorEnvelope.ErrorEnvelope,
  route: "protected" | "public" = "public"
): App.Any => {
  class ShopApi extends HttpApiGroup.make("shop").add(
    HttpApiEndpoint.post("create", "/v1/orders", options as never)
  ) {}
  // The handlers are never called.
  const handlers = ((all: { readonly handleAll: (handlers: object) => unknown }) =>
    all.handleAll({ create: () => Effect.void })) as never
  const served =
    route === "public" ? Route.public(ShopApi, handlers) : Route.protected(ShopApi, handlers)
  const Shop = Plugin.make("app:shop", { routes: [served] } as never)
  return App.make("shop", [keys, Shop], { errors }) as App.Any
}

const changes = (before: App.Any, after: App.Any) =>
  Effect.gen(function* () {
    const [old, now] = yield* Effect.all([Document.of(before), Document.of(after)])
    // As in a file.
    const parsed = (document: object) => objectOf(JSON.parse(JSON.stringify(document)))
    return Changes.of(parsed(old), parsed(now)).map(
      ({ kind, message }) => `${kind} ${message.replace("POST /v1/orders (shop.create): ", "")}`
    )
  })

const field = (schema: Schema.Top) => ({ payload: Schema.Struct({ a: schema }) })

const stream = (element: Schema.Codec<unknown>, error: Schema.Codec<unknown>) =>
  HttpApiSchema.StreamSse({ data: element, error })

/** The options of the endpoint before and after, and the changes. */
const table: ReadonlyArray<readonly [string, object, object, ReadonlyArray<string>]> = [
  [
    "a field that may be absent",
    field(Schema.String),
    field(Schema.optionalKey(Schema.String)),
    ["compatible the body no longer requires the field `a`."]
  ],
  [
    "a field that may be null",
    field(Schema.String),
    field(Schema.NullOr(Schema.String)),
    ["compatible `a` in the body takes `null` too."]
  ],
  [
    "a field with a default",
    field(Schema.Int),
    field(Schema.Int.pipe(Schema.withDecodingDefaultKey(Effect.succeed(1)))),
    [
      "compatible the body no longer requires the field `a`.",
      "documentation the default of `a` in the body is stated as 1."
    ]
  ],
  [
    "a length, a pattern and a format",
    field(Schema.String),
    field(Schema.String.check(Schema.isUUID(7), Schema.isMaxLength(40))),
    [
      "breaking `a` in the body takes only the format uuid now: clients that send anything else get 400.",
      "breaking `a` in the body takes only at most 40 characters now: clients that send anything else get 400.",
      "breaking `a` in the body takes only texts that match ^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-7[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12})$ now: clients that send anything else get 400."
    ]
  ],
  [
    "a literal more in a reply",
    { success: Schema.Struct({ state: Schema.Literals(["open", "closed"]) }) },
    { success: Schema.Struct({ state: Schema.Literals(["open", "closed", "void"]) }) },
    ['breaking `state` in the reply 200 may be `"void"` now, which clients do not know.']
  ],
  [
    "a variant more in a reply",
    {
      success: Schema.Union([
        Schema.TaggedStruct("Card", { number: Schema.String }),
        Schema.TaggedStruct("Cash", {})
      ])
    },
    {
      success: Schema.Union([
        Schema.TaggedStruct("Card", { number: Schema.String }),
        Schema.TaggedStruct("Wire", { iban: Schema.String }),
        Schema.TaggedStruct("Cash", {})
      ])
    },
    ['breaking the reply 200 may be the variant with _tag "Wire" now, which clients do not know.']
  ],
  [
    "a schema with another identifier",
    { success: Schema.Struct({ a: Schema.String }).annotate({ identifier: "Order" }) },
    { success: Schema.Struct({ a: Schema.String }).annotate({ identifier: "PlacedOrder" }) },
    []
  ],
  [
    "a recursive schema",
    { payload: Tree(Schema.String) },
    { payload: Tree(Schema.NonEmptyString) },
    [
      "breaking `name` in the body takes only at least 1 character now: clients that send anything else get 400."
    ]
  ],
  [
    "an error more",
    { error: [Missing] },
    { error: [Missing, Closed] },
    [
      "breaking may fail with CLOSED (404) now: clients that know the errors by their codes do not know it."
    ]
  ],
  [
    "a query with pages",
    {},
    { query: Pagination.query },
    [
      "compatible it takes the query parameter `limit`, which is new.",
      "compatible it takes the query parameter `page`, which is new."
    ]
  ],
  [
    "a header that is required",
    {},
    { headers: { "x-tenant": Schema.String } },
    [
      "breaking it requires the header `x-tenant`, which is new: clients that do not send it get 400."
    ]
  ],
  [
    "a part of a form that is a file",
    {
      payload: Schema.Struct({ title: Schema.String }).pipe(HttpApiSchema.asMultipart())
    },
    {
      payload: Schema.Struct({ file: Multipart.SingleFileSchema, title: Schema.String }).pipe(
        HttpApiSchema.asMultipart()
      )
    },
    ["breaking the body requires a new field `file`: clients that do not send it get 400."]
  ],
  [
    "a header of a reply, and another status",
    { success: Schema.String },
    {
      success: HttpApiSchema.WithHeaders(Schema.String, Schema.Struct({ etag: Schema.String }))
    },
    ["compatible the header `etag` of the reply 200 is new."]
  ],
  [
    "the element and the error of a stream",
    { success: stream(Schema.String, Schema.Struct({ why: Schema.String })) },
    { success: stream(Schema.String, Schema.Struct({ why: Schema.Literal("late") })) },
    [
      'compatible `why` in the error at the end of the reply 200 is one of `"late"` now, and was a string.'
    ]
  ]
]

layer(NodeServices.layer)("the documents of contracts", (it) => {
  for (const [name, before, after, expected] of table) {
    it.effect(name, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* changes(appOf(before), appOf(after)), [...expected])
        assert.deepStrictEqual(yield* changes(appOf(after), appOf(after)), [])
      })
    )
  }

  it.effect("an error more in an envelope is found by its title", () =>
    Effect.gen(function* () {
      const envelope = ErrorEnvelope.make({
        decode: ({ error }) => ({ code: error }),
        encode: ({ code }) => ({ error: code }),
        schema: Schema.Struct({ error: Schema.String })
      })
      const found = yield* changes(
        appOf({ error: [Missing] }, envelope),
        appOf({ error: [Missing, Closed] }, envelope)
      )
      assert.deepStrictEqual(found, [
        "breaking may fail with Closed (404) now: clients that know the errors by their codes do not know it."
      ])
    })
  )

  it.effect("a route that becomes protected or public", () =>
    Effect.gen(function* () {
      const [open, shut] = [appOf({}), appOf({}, undefined, "protected")]
      assert.deepStrictEqual(yield* changes(open, shut), [
        "breaking asks for api-key now: clients without credentials get 401.",
        "breaking may fail with UNAUTHENTICATED (401) now: clients that know the errors by their codes do not know it.",
        "breaking may fail with RATE_LIMITED (429) now: clients that know the errors by their codes do not know it."
      ])
      assert.deepStrictEqual(yield* changes(shut, open), [
        "compatible lets in callers without credentials now. It asked for api-key.",
        "compatible no longer fails with UNAUTHENTICATED (401).",
        "compatible no longer fails with RATE_LIMITED (429)."
      ])
    })
  )

  it.effect("a change of 200 endpoints is one line", () =>
    Effect.gen(function* () {
      const document = (item: Readonly<Record<string, typeof Schema.String>>) =>
        Effect.map(Document.of(huge(Schema.Struct(item))), (document) =>
          objectOf(JSON.parse(JSON.stringify(document)))
        )
      const old = yield* document({ id: Schema.String })
      const now = yield* document({ id: Schema.String, name: Schema.String })
      const found = Report.of(old, now)
      assert.lengthOf(found.changes, 200)
      assert.deepStrictEqual(Report.lines(found, "openapi.json"), [
        "Compatible:",
        "  - 200 operations, such as GET /v1/items/0 (items0.read) and GET /v1/items/1 (items1.read): the reply 200 has a new field `name`.",
        "The version was 0.0.0 and is 0.0.0. The changes ask for 0.0.1 (patch)."
      ])
    })
  )
})

const huge = (Item: Schema.Codec<unknown>): App.Any => {
  const plugins = Array.from({ length: 200 }, (_, i) => {
    class ItemsApi extends HttpApiGroup.make(`items${i}`).add(
      HttpApiEndpoint.get("read", `/v1/items/${i}`, { error: Missing, success: Item })
    ) {}
    return Plugin.make(`app:items-${i}`, {
      routes: [
        Route.public(ItemsApi, (handlers) =>
          handlers.handleAll({ read: () => Effect.fail(new Missing({})) })
        )
      ]
    })
  })
  return App.make("huge", plugins)
}
