/** Changes of a document with the class that each has for clients of the old one. */

/** A JSON object of a document. */
export type Json = Readonly<Record<string, unknown>>

/** The parts of the only operation of a document. */
interface Parts {
  readonly body?: Json
  readonly components?: Json
  readonly document?: Json
  readonly errors?: Json
  readonly method?: string
  readonly operation?: Json
  readonly parameters?: ReadonlyArray<Json>
  readonly path?: string
  readonly reply?: Json
  readonly schemes?: Json
}

const json = (schema: Json): Json => ({ "application/json": { schema } })

/** Returns a document with one operation. */
export const documentOf = ({
  body,
  components = {},
  document,
  errors,
  method = "post",
  operation,
  parameters,
  path = "/v1/orders",
  reply = { type: "string" },
  schemes
}: Parts): Json => ({
  components: {
    schemas: components,
    ...(schemes === undefined ? {} : { securitySchemes: schemes })
  },
  info: { title: "shop", version: "1.0.0" },
  openapi: "3.1.0",
  paths: {
    [path]: {
      [method]: {
        operationId: "orders.create",
        parameters: parameters ?? [],
        responses: {
          200: { content: json(reply), description: "Success" },
          ...Object.fromEntries(
            Object.entries(errors ?? {}).map(([status, schema]) => [
              status,
              {
                content: { "application/problem+json": { schema } },
                description: `Errors of ${status}`
              }
            ])
          )
        },
        ...(body === undefined ? {} : { requestBody: { content: json(body), required: true } }),
        ...operation
      }
    }
  },
  ...document
})

const text = { type: "string" }
const int = { type: "integer" }
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const object = (properties: Json, required: ReadonlyArray<string> = [], more: Json = {}): Json => ({
  properties,
  required,
  type: "object",
  ...more
})
const error = (code: string): Json =>
  object(
    { code: { enum: [code], type: "string" }, type: { enum: [`urn:${code}`], type: "string" } },
    ["code", "type"]
  )
const query = (name: string, schema: Json = text, more: Json = {}): Json => ({
  in: "query",
  name,
  required: false,
  schema,
  ...more
})
const secured = (...security: ReadonlyArray<Json>): Parts => ({
  operation: { security },
  schemes: {
    jwt: { scheme: "bearer", type: "http" },
    key: { in: "header", name: "x-api-key", type: "apiKey" }
  }
})
const media = (...types: ReadonlyArray<string>): Json =>
  Object.fromEntries(types.map((type) => [type, { schema: text }]))
const card = object({ number: text, type: { enum: ["card"] } }, ["number", "type"])
const cash = object({ type: { enum: ["cash"] } }, ["type"])
const wire = object({ iban: text, type: { enum: ["wire"] } }, ["iban", "type"])
const tree = (more: Json = {}) =>
  object({ children: { items: ref("Tree"), type: "array" }, name: { type: "string", ...more } }, [
    "children",
    "name"
  ])

/** The classes of the changes in the order in which they are reported; `weaker` is a security matter. */
export type Class = "breaking" | "compatible" | "documentation" | "weaker"

/** A change, its classes, and a text that its sentence has. */
export type Case = readonly [
  name: string,
  before: Parts,
  after: Parts,
  classes: ReadonlyArray<Class>,
  sentence?: string
]

/** The table. */
export const cases: ReadonlyArray<Case> = [
  // The body of a request.
  [
    "a new required field of a body",
    { body: object({ a: text }, ["a"]) },
    { body: object({ a: text, total: int }, ["a", "total"]) },
    ["breaking"],
    "POST /v1/orders (orders.create): the body requires a new field `total`: clients that do not send it get 400."
  ],
  [
    "a new optional field of a body",
    { body: object({ a: text }) },
    { body: object({ a: text, note: text }) },
    ["compatible"],
    "the body takes a new optional field `note`."
  ],
  [
    "a removed field that the server ignores now",
    { body: object({ a: text, note: text }) },
    { body: object({ a: text }) },
    ["breaking"],
    "no longer takes the field `note`: the server ignores it."
  ],
  [
    "a removed field that a closed body refuses",
    { body: object({ a: text, note: text }, [], { additionalProperties: false }) },
    { body: object({ a: text }, [], { additionalProperties: false }) },
    ["breaking"],
    "no longer takes the field `note`: clients that send it get 400."
  ],
  [
    "an optional field that is required",
    { body: object({ a: text }) },
    { body: object({ a: text }, ["a"]) },
    ["breaking"],
    "the body requires the field `a` now"
  ],
  [
    "a required field that is optional",
    { body: object({ a: text }, ["a"]) },
    { body: object({ a: text }) },
    ["compatible"]
  ],
  [
    "a field that takes null too",
    { body: object({ a: text }, ["a"]) },
    { body: object({ a: { anyOf: [text, { type: "null" }] } }, ["a"]) },
    ["compatible"],
    "`a` in the body takes `null` too."
  ],
  [
    "a field that no longer takes null",
    { body: object({ a: { type: ["string", "null"] } }, ["a"]) },
    { body: object({ a: text }, ["a"]) },
    ["breaking"],
    "`a` in the body no longer takes `null`"
  ],
  [
    "a smaller maxLength in a body",
    { body: object({ name: { maxLength: 200, type: "string" } }) },
    { body: object({ name: { maxLength: 100, type: "string" } }) },
    ["breaking"],
    "`name` in the body takes at most 100 characters now, and took at most 200 characters"
  ],
  [
    "a larger maximum in a body",
    { body: object({ n: { maximum: 5, type: "integer" } }) },
    { body: object({ n: { maximum: 9, type: "integer" } }) },
    ["compatible"]
  ],
  [
    "a larger minItems of a nested array",
    {
      body: object({
        lines: {
          items: object({ tags: { items: text, minItems: 1, type: "array" } }),
          type: "array"
        }
      })
    },
    {
      body: object({
        lines: {
          items: object({ tags: { items: text, minItems: 2, type: "array" } }),
          type: "array"
        }
      })
    },
    ["breaking"],
    "`lines[].tags` in the body takes at least 2 elements now, and took at least 1 element"
  ],
  [
    "a new pattern in a body",
    { body: object({ a: text }) },
    { body: object({ a: { pattern: "^x", type: "string" } }) },
    ["breaking"],
    "takes only texts that match ^x now"
  ],
  [
    "a pattern that was taken away",
    { body: object({ a: { pattern: "^x", type: "string" } }) },
    { body: object({ a: text }) },
    ["compatible"]
  ],
  [
    "another pattern",
    { body: object({ a: { pattern: "^x", type: "string" } }) },
    { body: object({ a: { pattern: "^y", type: "string" } }) },
    ["breaking"]
  ],
  [
    "a new format in a body",
    { body: object({ a: text }) },
    { body: object({ a: { format: "date-time", type: "string" } }) },
    ["breaking"],
    "the format date-time"
  ],
  [
    "a finer multipleOf",
    { body: object({ n: { multipleOf: 10, type: "number" } }) },
    { body: object({ n: { multipleOf: 5, type: "number" } }) },
    ["compatible"]
  ],
  [
    "an enum of a body with one value less",
    { body: object({ a: { enum: ["x", "y"], type: "string" } }) },
    { body: object({ a: { enum: ["x"], type: "string" } }) },
    ["breaking"],
    '`a` in the body no longer takes `"y"`: clients that send it get 400.'
  ],
  [
    "an enum of a body with one value more",
    { body: object({ a: { enum: ["x"], type: "string" } }) },
    { body: object({ a: { enum: ["x", "y"], type: "string" } }) },
    ["compatible"]
  ],
  [
    "an enum of a body that is any text now",
    { body: object({ a: { enum: ["x"], type: "string" } }) },
    { body: object({ a: text }) },
    ["compatible"]
  ],
  [
    "any text of a body that is an enum now",
    { body: object({ a: text }) },
    { body: object({ a: { enum: ["x"], type: "string" } }) },
    ["breaking"],
    '`a` in the body is one of `"x"` now, and was a string'
  ],
  [
    "another type",
    { body: object({ a: text }) },
    { body: object({ a: int }) },
    ["breaking"],
    "`a` in the body is an integer now, and was a string"
  ],
  [
    "an integer of a body that may be any number",
    { body: object({ a: int }) },
    { body: object({ a: { type: "number" } }) },
    ["compatible"]
  ],
  [
    "a body that refuses unknown fields now",
    { body: object({ a: text }) },
    { body: object({ a: text }, [], { additionalProperties: false }) },
    ["breaking"],
    "the body refuses fields that are not listed: clients that send them get 400."
  ],
  [
    "another meaning of an absent field",
    { body: object({ n: { default: 1, type: "integer" } }) },
    { body: object({ n: { default: 2, type: "integer" } }) },
    ["breaking"],
    "without `n` in the body a request means 2 now, and meant 1."
  ],
  [
    "a body that is required now",
    { operation: { requestBody: { content: json(text), required: false } } },
    { operation: { requestBody: { content: json(text), required: true } } },
    ["breaking"]
  ],
  ["a new body that is required", {}, { body: text }, ["breaking"], "it requires a body now"],
  ["a body that is not read any more", { body: text }, {}, ["breaking"]],
  [
    "a media type of a body less",
    {
      operation: {
        requestBody: { content: media("application/json", "text/plain"), required: true }
      }
    },
    { operation: { requestBody: { content: media("application/json"), required: true } } },
    ["breaking"],
    "the body may no longer be text/plain: clients that send it get 415."
  ],
  [
    "a media type of a body more",
    { operation: { requestBody: { content: media("application/json"), required: true } } },
    {
      operation: {
        requestBody: { content: media("application/json", "text/plain"), required: true }
      }
    },
    ["compatible"]
  ],
  [
    "a new required part of a multipart form",
    {
      operation: {
        requestBody: {
          content: {
            "multipart/form-data": {
              schema: object({ file: { format: "binary", type: "string" } }, ["file"])
            }
          }
        }
      }
    },
    {
      operation: {
        requestBody: {
          content: {
            "multipart/form-data": {
              schema: object({ file: { format: "binary", type: "string" }, title: text }, [
                "file",
                "title"
              ])
            }
          }
        }
      }
    },
    ["breaking"],
    "the body requires a new field `title`"
  ],
  [
    "values of a record with a limit",
    { body: { additionalProperties: text, type: "object" } },
    { body: { additionalProperties: { maxLength: 3, type: "string" }, type: "object" } },
    ["breaking"],
    "`[*]` in the body takes only at most 3 characters now"
  ],
  [
    "a variant of a body less",
    { body: { anyOf: [card, cash, wire] } },
    { body: { anyOf: [card, wire] } },
    ["breaking"],
    'the body may no longer be the variant with type "cash": clients that send it get 400.'
  ],
  [
    "a field of one variant",
    { body: { oneOf: [cash, card] } },
    {
      body: {
        oneOf: [
          object({ number: text, owner: text, type: { enum: ["card"] } }, [
            "number",
            "owner",
            "type"
          ]),
          cash
        ]
      }
    },
    ["breaking"],
    "the body requires a new field `owner`"
  ],
  [
    "a tuple with another element",
    { body: { items: false, prefixItems: [text, int], type: "array" } },
    { body: { items: false, prefixItems: [text, text], type: "array" } },
    ["breaking"],
    "`[1]` in the body is a string now, and was an integer"
  ],
  // Replies.
  [
    "a new field of a reply",
    { reply: object({ a: text }, ["a"]) },
    { reply: object({ a: text, b: text }, ["a", "b"]) },
    ["compatible"],
    "the reply 200 has a new field `b`."
  ],
  [
    "a new field of a reply that had no others",
    { reply: object({ a: text }, ["a"], { additionalProperties: false }) },
    { reply: object({ a: text, b: text }, ["a"], { additionalProperties: false }) },
    ["breaking"]
  ],
  [
    "a removed field of a reply",
    { reply: object({ a: text, b: text }, ["a", "b"]) },
    { reply: object({ a: text }, ["a"]) },
    ["breaking"],
    "the reply 200 no longer has the field `b`: clients that read it find nothing."
  ],
  [
    "a field of a reply that may be missing",
    { reply: object({ a: text }, ["a"]) },
    { reply: object({ a: text }) },
    ["breaking"],
    "the reply 200 may lack the field `a` now"
  ],
  [
    "a field of a reply that is always there",
    { reply: object({ a: text }) },
    { reply: object({ a: text }, ["a"]) },
    ["compatible"]
  ],
  [
    "a field of a reply that may be null",
    { reply: object({ a: text }, ["a"]) },
    { reply: object({ a: { anyOf: [text, { type: "null" }] } }, ["a"]) },
    ["breaking"],
    "`a` in the reply 200 may be `null` now, which clients do not know."
  ],
  [
    "an enum of a reply with one value more",
    { reply: object({ s: { enum: ["open"], type: "string" } }, ["s"]) },
    { reply: object({ s: { enum: ["open", "closed"], type: "string" } }, ["s"]) },
    ["breaking"],
    '`s` in the reply 200 may be `"closed"` now, which clients do not know.'
  ],
  [
    "an enum of a reply with one value less",
    { reply: object({ s: { enum: ["open", "closed"], type: "string" } }, ["s"]) },
    { reply: object({ s: { enum: ["open"], type: "string" } }, ["s"]) },
    ["compatible"],
    '`s` in the reply 200 is never `"closed"` now.'
  ],
  [
    "a larger maxLength in a reply",
    { reply: object({ a: { maxLength: 100, type: "string" } }) },
    { reply: object({ a: { maxLength: 200, type: "string" } }) },
    ["breaking"],
    "clients that check replies refuse the new values."
  ],
  [
    "a variant of a reply more",
    { reply: { items: { anyOf: [card, cash] }, type: "array" } },
    { reply: { items: { anyOf: [cash, wire, card] }, type: "array" } },
    ["breaking"],
    '`[]` in the reply 200 may be the variant with type "wire" now'
  ],
  [
    "a number of a reply that is an integer",
    { reply: object({ n: { type: "number" } }) },
    { reply: object({ n: int }) },
    ["compatible"]
  ],
  [
    "another status of success",
    {},
    { operation: { responses: { 201: { content: json(text), description: "Success" } } } },
    ["breaking", "compatible"],
    "it may answer 201 now, which clients do not know."
  ],
  [
    "a removed header of a reply",
    {
      operation: {
        responses: { 200: { description: "", headers: { etag: { required: true, schema: text } } } }
      }
    },
    { operation: { responses: { 200: { description: "" } } } },
    ["breaking"],
    "the header `etag` of the reply 200 was removed"
  ],
  [
    "a new header of a reply",
    { operation: { responses: { 200: { description: "" } } } },
    { operation: { responses: { 200: { description: "", headers: { ETag: { schema: text } } } } } },
    ["compatible"]
  ],
  [
    "another element of a stream",
    {
      operation: {
        responses: {
          200: {
            content: {
              "application/x-ndjson": {
                schema: object({ a: text }, ["a"]),
                "x-effect-stream": { encoding: "ndjson" }
              }
            },
            description: ""
          }
        }
      }
    },
    {
      operation: {
        responses: {
          200: {
            content: {
              "application/x-ndjson": {
                schema: object({ a: int }, ["a"]),
                "x-effect-stream": { encoding: "ndjson" }
              }
            },
            description: ""
          }
        }
      }
    },
    ["breaking"]
  ],
  [
    "a reply that became a stream of the same type",
    {
      operation: {
        responses: { 200: { content: { "text/event-stream": { schema: text } }, description: "" } }
      }
    },
    {
      operation: {
        responses: {
          200: {
            content: {
              "text/event-stream": { schema: text, "x-effect-stream": { encoding: "sse" } }
            },
            description: ""
          }
        }
      }
    },
    ["breaking"],
    "the reply 200 is a stream now (sse)."
  ],
  // Errors.
  [
    "a new error at a known status",
    { errors: { 409: error("TAKEN") } },
    { errors: { 409: { anyOf: [error("LOCKED"), error("TAKEN")] } } },
    ["breaking"],
    "POST /v1/orders (orders.create): may fail with LOCKED (409) now: clients that know the errors by their codes do not know it."
  ],
  [
    "a new error at a new status",
    {},
    { errors: { 409: { anyOf: [error("TAKEN"), error("LOCKED")] } } },
    ["breaking", "breaking"],
    "may fail with TAKEN (409) now"
  ],
  [
    "an error that was taken away",
    { errors: { 409: { anyOf: [error("TAKEN"), error("LOCKED")] } } },
    { errors: { 409: error("TAKEN") } },
    ["compatible"],
    "no longer fails with LOCKED (409)."
  ],
  [
    "an error of another code",
    { errors: { 404: error("MISSING") } },
    { errors: { 404: error("GONE") } },
    ["breaking", "compatible"]
  ],
  [
    "a field of an error that was taken away",
    { errors: { 404: object({ code: { enum: ["X"] }, id: text }, ["code", "id"]) } },
    { errors: { 404: object({ code: { enum: ["X"] } }, ["code"]) } },
    ["breaking"]
  ],
  [
    "a new error in an envelope, which only the description names",
    {
      operation: {
        responses: {
          404: { content: json(object({ message: text })), description: "Order not found" }
        }
      }
    },
    {
      operation: {
        responses: {
          404: {
            content: json(object({ message: text })),
            description: "Order not found | Shop not found"
          }
        }
      }
    },
    ["breaking"],
    "may fail with Shop not found (404) now"
  ],
  // Access.
  [
    "a public operation that asks for a caller",
    secured(),
    secured({ jwt: [] }),
    ["breaking"],
    "asks for jwt now: clients without credentials get 401."
  ],
  [
    "a protected operation that became public",
    secured({ jwt: [] }, { key: [] }),
    secured(),
    ["weaker"],
    "lets in callers without credentials now. It asked for jwt or key."
  ],
  [
    "an optional caller that is required",
    secured({ jwt: [] }, {}),
    secured({ jwt: [] }),
    ["breaking"]
  ],
  [
    "one more scope",
    secured({ jwt: ["orders:read"] }),
    secured({ jwt: ["orders:read", "orders:write"] }),
    ["breaking"],
    "no longer lets in callers by jwt with the scope orders:read. It asks for jwt with the scope orders:read and orders:write."
  ],
  ["a lost scope", secured({ jwt: ["a", "b"] }), secured({ jwt: ["a"] }), ["weaker"]],
  ["another scope", secured({ jwt: ["a"] }), secured({ jwt: ["b"] }), ["breaking", "weaker"]],
  ["a scheme less", secured({ jwt: [] }, { key: [] }), secured({ jwt: [] }), ["breaking"]],
  ["a scheme more", secured({ jwt: [] }), secured({ jwt: [] }, { key: [] }), ["weaker"]],
  [
    "the order of schemes",
    secured({ jwt: [] }, { key: [] }),
    secured({ key: [] }, { jwt: [] }),
    []
  ],
  [
    "a scheme that reads another header",
    secured({ key: [] }),
    { ...secured({ key: [] }), schemes: { key: { in: "header", name: "x-key", type: "apiKey" } } },
    ["breaking"],
    "The scheme key is"
  ],
  [
    "a scheme of another name",
    {
      operation: { security: [{ jwt: [] }] },
      schemes: { jwt: { scheme: "bearer", type: "http" } }
    },
    {
      operation: { security: [{ token: [] }] },
      schemes: { token: { scheme: "bearer", type: "http" } }
    },
    []
  ],
  // Parameters.
  [
    "a new required query parameter",
    {},
    { parameters: [query("q", text, { required: true })] },
    ["breaking"],
    "it requires the query parameter `q`, which is new: clients that do not send it get 400."
  ],
  ["a new optional query parameter", {}, { parameters: [query("q")] }, ["compatible"]],
  [
    "a removed query parameter",
    { parameters: [query("q")] },
    {},
    ["breaking"],
    "it no longer takes the query parameter `q`: the server ignores it."
  ],
  [
    "a query parameter of another name",
    { parameters: [query("customer")] },
    { parameters: [query("client")] },
    ["breaking", "compatible"]
  ],
  [
    "another default of a query parameter",
    { parameters: [query("limit", { default: 50, type: "integer" })] },
    { parameters: [query("limit", { default: 20, type: "integer" })] },
    ["breaking"]
  ],
  [
    "a lower maximum of a query parameter",
    { parameters: [query("limit", { maximum: 500, type: "integer" })] },
    { parameters: [query("limit", { maximum: 100, type: "integer" })] },
    ["breaking"],
    "the query parameter `limit` takes values up to 100 now, and took values up to 500"
  ],
  [
    "a query that refuses unknown keys",
    { operation: { description: "Creates an order." } },
    {
      operation: {
        description:
          "Creates an order.\n\nA query with a key that is not listed is answered with 400."
      }
    },
    ["breaking"],
    "the query refuses keys that are not listed"
  ],
  [
    "a header in another case",
    { parameters: [{ in: "header", name: "X-Tenant", schema: text }] },
    { parameters: [{ in: "header", name: "x-tenant", schema: text }] },
    []
  ],
  [
    "a cookie that is required now",
    { parameters: [{ in: "cookie", name: "sid", schema: text }] },
    { parameters: [{ in: "cookie", name: "sid", required: true, schema: text }] },
    ["breaking"]
  ],
  [
    "a parameter of a path with another name",
    {
      parameters: [{ in: "path", name: "id", required: true, schema: text }],
      path: "/v1/orders/{id}"
    },
    {
      parameters: [{ in: "path", name: "orderId", required: true, schema: text }],
      path: "/v1/orders/{orderId}"
    },
    ["breaking"],
    "the parameter id of the path has the name orderId now"
  ],
  [
    "a parameter of a path with a pattern",
    {
      parameters: [{ in: "path", name: "id", required: true, schema: text }],
      path: "/v1/orders/{id}"
    },
    {
      parameters: [
        { in: "path", name: "id", required: true, schema: { pattern: "^\\d+$", type: "string" } }
      ],
      path: "/v1/orders/{id}"
    },
    ["breaking"],
    "the parameter `id` of the path takes only texts that match ^\\d+$ now"
  ],
  // Operations and the document.
  [
    "an operation at another path",
    {},
    { path: "/v2/orders" },
    ["breaking"],
    "POST /v2/orders (orders.create): was POST /v1/orders: clients that call it get an error."
  ],
  ["an operation with another method", {}, { method: "put" }, ["breaking"], "was POST /v1/orders"],
  [
    "an operation of another name",
    {},
    { operation: { operationId: "orders.place" } },
    ["breaking"],
    "POST /v1/orders (orders.place): had the id orders.create. Requests are the same"
  ],
  [
    "an operation that was removed",
    {},
    { document: { paths: {} } },
    ["breaking"],
    "POST /v1/orders (orders.create): was removed"
  ],
  ["a new operation", { document: { paths: {} } }, {}, ["compatible"], "(orders.create): is new."],
  [
    "another summary",
    { operation: { summary: "a" } },
    { operation: { summary: "b" } },
    ["documentation"]
  ],
  [
    "a deprecated operation",
    {},
    { operation: { deprecated: true } },
    ["documentation"],
    "is deprecated now."
  ],
  [
    "another description of a field",
    { body: object({ a: { description: "x", type: "string" } }) },
    { body: object({ a: { description: "y", type: "string" } }) },
    ["documentation"],
    "`a` in the body is described in other words."
  ],
  [
    "another server",
    { document: { servers: [{ url: "https://a.example" }] } },
    { document: { servers: [{ url: "https://b.example" }] } },
    ["breaking", "compatible"]
  ],
  // What is no difference.
  [
    "a component of another name",
    { body: ref("Draft"), components: { Draft: object({ a: text }) } },
    { body: ref("OrderDraft"), components: { OrderDraft: object({ a: text }) } },
    []
  ],
  [
    "a component that is written in place",
    { body: ref("Draft"), components: { Draft: object({ a: text }) } },
    { body: object({ a: text }) },
    []
  ],
  [
    "another order of fields, required fields, values, variants and errors",
    {
      body: object({ a: text, b: { enum: ["x", "y"] } }, ["a", "b"]),
      errors: { 409: { anyOf: [error("TAKEN"), error("LOCKED")] } },
      reply: { anyOf: [card, cash] }
    },
    {
      body: object({ a: text, b: { enum: ["y", "x"] } }, ["b", "a"]),
      errors: { 409: { anyOf: [error("LOCKED"), error("TAKEN")] } },
      reply: { anyOf: [cash, card] }
    },
    []
  ],
  [
    "rules in allOf or beside each other",
    { body: { allOf: [{ minLength: 2 }, { maxLength: 5 }], type: "string" } },
    { body: { maxLength: 5, minLength: 2, type: "string" } },
    []
  ],
  [
    "null as a type or in a union",
    { reply: { type: ["string", "null"] } },
    { reply: { anyOf: [{ type: "null" }, text] } },
    []
  ],
  [
    "const or an enum of one value",
    { reply: { const: "a" } },
    { reply: { enum: ["a"], type: "string" } },
    []
  ],
  // Recursion.
  [
    "a recursive schema",
    { components: { Tree: tree() }, reply: ref("Tree") },
    { components: { Tree: tree() }, reply: ref("Tree") },
    []
  ],
  [
    "a field of a recursive schema",
    { body: ref("Tree"), components: { Tree: tree() } },
    { body: ref("Tree"), components: { Tree: tree({ maxLength: 9 }) } },
    ["breaking"],
    "`name` in the body takes only at most 9 characters now"
  ],
  [
    "a recursive schema that is unrolled once",
    { components: { Tree: tree() }, reply: ref("Tree") },
    { components: { Tree: tree() }, reply: tree() },
    []
  ],
  [
    "a union that contains itself, and a reference to nothing",
    {
      body: ref("Nowhere"),
      components: { Loop: { anyOf: [ref("Loop"), ref("Loop"), text] } },
      reply: ref("Loop")
    },
    {
      body: ref("Nowhere"),
      components: { Loop: { allOf: [ref("Loop")], anyOf: [text, int] } },
      reply: ref("Loop")
    },
    ["breaking"],
    "the reply 200 may be an integer now, which clients do not know."
  ]
]
