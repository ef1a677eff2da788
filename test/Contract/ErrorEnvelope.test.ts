import { once } from "node:events"
import * as Net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { ApiError, App, Catalogue, ErrorEnvelope, Plugin, Route } from "flange"
import * as Logging from "flange/Logging"
import * as OpenApi from "flange/OpenApi"
import { TestApp } from "flange/Testing"

class Taken extends ApiError.make<Taken>()(
  "Taken",
  {
    code: "TAKEN",
    detail: ({ name }) => `${name} is taken`,
    internal: ["shard"],
    status: 409
  },
  { at: Schema.DateFromString, name: Schema.String, shard: Schema.Int }
) {}

class Full extends ApiError.make<Full>()("Full", {
  code: "FULL",
  detail: "It is full",
  status: 409
}) {}

class Plain extends Schema.TaggedError<Plain>()(
  "Plain",
  { why: Schema.String },
  { httpApiStatus: 422 }
) {}

const taken = new Taken({ at: new Date(0), name: "a", shard: 7 })

class NamesApi extends HttpApiGroup.make("names").add(
  HttpApiEndpoint.post("take", "/names", {
    error: [Full, Plain, Taken],
    payload: Schema.Struct({ name: Schema.NonEmptyString }),
    success: Schema.String
  })
) {}

const results: Readonly<Record<string, Effect.Effect<string, Full | Plain | Taken>>> = {
  a: Effect.fail(taken),
  full: Effect.fail(new Full()),
  plain: Effect.fail(new Plain({ why: "x" }))
}

const Names = Plugin.make("test:names", {
  routes: [
    Route.public(NamesApi, (handlers) =>
      handlers.handleAll({ take: ({ payload }) => results[payload.name]! })
    )
  ]
})

const Body = Schema.Struct({
  code: Schema.String,
  fields: Schema.Record(Schema.String, Schema.Unknown),
  message: Schema.String
}).annotate({ identifier: "ErrorBody" })

const errors = ErrorEnvelope.make({
  decode: ({ code, fields, message }) => ({ code, detail: message, ...fields }),
  encode: ({
    code,
    correlationId: _c,
    detail,
    instance: _i,
    status: _s,
    title: _t,
    type: _y,
    ...fields
  }) => ({ code, fields, message: detail }),
  schema: Body
})

const plugins = [Logging.plugin, OpenApi.plugin, Names] as const

const app = App.make("names", plugins, { errors })

const places = [
  ["in memory", TestApp.make],
  ["through a socket", TestApp.listening]
] as const

describe.each(places)("the typed client of an app with an envelope, %s,", (_place, boot) => {
  it.live("fails with the classes of the contract", () =>
    Effect.gen(function* () {
      const { client } = yield* boot(app)
      const fail = (name: string) => Effect.flip(client.names.take({ payload: { name } }))
      const found = yield* fail("a")
      assert.instanceOf(found, Taken)
      assert.deepStrictEqual(
        [found.at, found.name, found.shard, found.detail, found.status, found.title],
        [new Date(0), "a", undefined, "a is taken", 409, "Taken"]
      )
      assert.instanceOf(yield* fail("full"), Full)
      assert.instanceOf(yield* fail("plain"), Plain)
    })
  )

  it.live("fails with the errors of Flange", () =>
    Effect.gen(function* () {
      const { client } = yield* boot(app)
      const error = yield* Effect.flip(client.names.take({ payload: { name: "defect" } }))
      assert.instanceOf(error, Catalogue.InternalError)
    })
  )
})

describe("the OpenAPI document of an app with an envelope", () => {
  interface Json {
    readonly [key: string]: Json
  }

  const documentOf = Effect.fnUntraced(function* (errors: ErrorEnvelope.ErrorEnvelope) {
    const test = yield* TestApp.make(App.make("names", plugins, { errors }))
    const document = (yield* test.get("/openapi.json")).json as Json
    return { document, responses: document["paths"]!["/names"]!["post"]!["responses"]! }
  })

  it.effect("has the schema of the envelope and the names of the errors at each status", () =>
    Effect.gen(function* () {
      const { document, responses } = yield* documentOf(errors)
      const body = { "application/json": { schema: { $ref: "#/components/schemas/ErrorBody" } } }
      for (const status of ["400", "409", "413", "415", "500", "503"]) {
        assert.deepStrictEqual(responses[status]!["content"] as unknown, body, status)
      }
      const description = (status: string): unknown => responses[status]!["description"]
      assert.strictEqual(description("409"), "Full | Taken")
      assert.strictEqual(description("400"), "Malformed request | Validation failed")
      assert.sameMembers(Object.keys(document["components"]!["schemas"]!), [
        "ErrorBody",
        "PlainEncoded"
      ])
      assert.sameMembers(Object.keys(responses["422"]!["content"]!), ["application/json"])
      assert.notInclude(JSON.stringify(document["paths"]), "problem+json")
    })
  )

  it.effect("has a text if the envelope is one", () =>
    Effect.gen(function* () {
      const { responses } = yield* documentOf(
        ErrorEnvelope.make({
          contentType: "text/plain",
          decode: () => undefined,
          encode: ({ detail }) => detail,
          schema: Schema.String
        })
      )
      assert.deepStrictEqual(responses["409"]!["content"] as unknown, {
        "text/plain": { schema: { type: "string" } }
      })
    })
  )
})

describe("an envelope that is a text", () => {
  const html = ErrorEnvelope.make({
    contentType: "text/html; charset=utf-8",
    decode: (body) => ({ code: /id="(\w+)"/.exec(body)![1]! }),
    encode: ({ code, detail }) => `<p id="${code}">${detail}</p>`,
    schema: Schema.String
  })

  it.effect("is sent as it is, and decoded by the typed client", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(App.make("names", plugins, { errors: html }))
      const reply = yield* test.get("/nowhere")
      reply.expectStatus(404).expectHeader("content-type", "text/html; charset=utf-8")
      assert.strictEqual(reply.text, '<p id="ROUTE_NOT_FOUND">No route has this path</p>')
      const error = yield* Effect.flip(test.client.names.take({ payload: { name: "full" } }))
      assert.instanceOf(error, Full)
      assert.isUndefined(error.detail)
    })
  )
})

describe("an envelope that throws", () => {
  const broken = App.make("names", plugins, {
    errors: ErrorEnvelope.make({
      decode: () => undefined,
      encode: () => {
        throw new Error("no envelope")
      },
      schema: Schema.Unknown
    })
  })

  const failures = ({ logs }: Pick<TestApp.TestApp<never, never>, "logs">) =>
    logs.filter(({ message }) => message === "The envelope of an error could not be made")

  it.effect("is logged once for each reply, which is a problem document", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(broken)
      for (const count of [1, 2]) {
        const reply = yield* test.get("/nowhere")
        reply.expectProblem("ROUTE_NOT_FOUND", 404)
        const found = failures(test)
        assert.lengthOf(found, count)
        const { annotations, cause, level } = found.at(-1)!
        assert.strictEqual(level, "Error")
        assert.strictEqual(annotations["requestId"], reply.headers.get("x-request-id"))
        assert.strictEqual((Cause.squash(cause!) as Error).message, "no envelope")
      }
    })
  )

  it.live("is logged once for a request that the listener refuses", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.listening(broken)
      const text = yield* Effect.promise(async () => {
        const socket = Net.connect(Number(new URL(test.url).port), "127.0.0.1")
        socket.write("GET / HTTP/1.1\r\nX-Request-ID: id-1\r\n\r\n")
        let text = ""
        socket.on("data", (bytes) => (text += String(bytes)))
        await once(socket, "end")
        socket.destroy()
        return text
      })
      assert.include(text.toLowerCase(), "content-type: application/problem+json")
      const found = failures(test)
      assert.lengthOf(found, 1)
      assert.strictEqual(found[0]!.annotations["requestId"], "id-1")
    })
  )
})

describe("an app with an envelope", () => {
  it.effect("has the code of an error in its access line", () =>
    Effect.gen(function* () {
      const test = yield* TestApp.make(app)
      yield* test.post("/names", { json: { name: "full" } })
      assert.strictEqual(test.logs.at(-1)!.annotations["code"], "FULL")
    })
  )
})

describe("ErrorEnvelope.make refuses", () => {
  const make = (contentType: string) => () =>
    ErrorEnvelope.make({
      contentType,
      decode: () => undefined,
      encode: ({ code }) => ({ code }),
      schema: Schema.Struct({ code: Schema.String })
    })

  it.each(["", "json", "text/", "text/a\r\nb: c", "text/\u00e4", "a b/c"])(
    "the content type %j",
    (contentType) => {
      assert.throws(
        make(contentType),
        `The content type of an error envelope is ${JSON.stringify(contentType)}. Use a media type, such as "application/json".`
      )
    }
  )

  it("a schema that does not encode to a string for a type that is not JSON", () => {
    assert.throws(
      make("text/html"),
      'The content type of an error envelope is "text/html", and its schema does not encode to a string. Use a schema of texts, or a type of JSON.'
    )
    for (const type of ["application/json; charset=utf-8", "application/vnd.a+json"]) {
      assert.doesNotThrow(make(type))
    }
  })
})
