/** Schemas of a contract, and values that a handler returns. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import { ApiError, Plugin, Route } from "flange"
import { effectful, plain, returns, runs } from "./misbehave.ts"
import { posts, subject } from "./subject.ts"

/** A text whose decoding is a function of the app. */
const decodes = (name: string) =>
  Schema.String.pipe(
    Schema.decodeTo(Schema.String, {
      decode: SchemaGetter.transformEffect((value) => runs(name, value)),
      encode: SchemaGetter.passthrough()
    })
  )

/** A text whose encoding is a function of the app. */
const encodes = (name: string) =>
  Schema.String.pipe(
    Schema.decodeTo(Schema.String, {
      decode: SchemaGetter.passthrough(),
      encode: SchemaGetter.transformEffect((value) => runs(name, value))
    })
  )

const checked = (name: string) =>
  Schema.String.check(Schema.makeFilter(() => returns(name, undefined)))

const success = Schema.String

class Constructed extends Schema.Class<Constructed>("Constructed")({ value: Schema.String }) {
  readonly built = returns("the constructor of a payload's class", true)
}

class Refused extends ApiError.make<Refused>()(
  "Refused",
  { code: "REFUSED", detail: "well", status: 409 },
  { value: encodes("the encoding of an error") }
) {}

class Other extends ApiError.make<Other>()("Other", {
  code: "OTHER",
  detail: "other",
  status: 410
}) {}

class SchemasApi extends HttpApiGroup.make("schemas").add(
  HttpApiEndpoint.post("constructed", "/constructed", { payload: Constructed, success }),
  HttpApiEndpoint.post("defaulted", "/defaulted", {
    payload: Schema.Struct({
      value: Schema.String.pipe(
        Schema.withDecodingDefaultKey(
          Effect.suspend(() => runs("the decoding default of a payload", "well"))
        )
      )
    }),
    success
  }),
  HttpApiEndpoint.get("error", "/error", { error: [Other, Refused], success }),
  HttpApiEndpoint.post("filtered", "/filtered", {
    payload: Schema.Struct({ value: checked("the check of a payload") }),
    success
  }),
  HttpApiEndpoint.post("form", "/form", {
    payload: Schema.Struct({ value: decodes("the decoding of a form") }).pipe(
      HttpApiSchema.asFormUrlEncoded()
    ),
    success
  }),
  HttpApiEndpoint.get("headers", "/headers", {
    headers: { "x-value": decodes("the decoding of headers") },
    success
  }),
  HttpApiEndpoint.get("params", "/params/:value", {
    params: { value: decodes("the decoding of params") },
    success
  }),
  HttpApiEndpoint.post("payload", "/payload", {
    payload: Schema.Struct({ value: decodes("the decoding of a payload") }),
    success
  }),
  HttpApiEndpoint.get("query", "/query", {
    query: { value: decodes("the decoding of a query") },
    success
  }),
  HttpApiEndpoint.get("replyHeaders", "/reply-headers", {
    success: HttpApiSchema.WithHeaders(encodes("the encoding of a success with headers"), {
      "x-value": encodes("the encoding of reply headers")
    })
  }),
  HttpApiEndpoint.get("success", "/success", { success: encodes("the encoding of a success") }),
  HttpApiEndpoint.get("successes", "/successes", {
    success: [
      Schema.Struct({ a: Schema.String }).pipe(HttpApiSchema.status(201)),
      encodes("the encoding of one of two successes")
    ]
  }),
  HttpApiEndpoint.get("successFiltered", "/success-filtered", {
    success: checked("the check of a success")
  }),
  HttpApiEndpoint.get("text", "/text", {
    success: encodes("the encoding of a text").pipe(HttpApiSchema.asText())
  })
) {}

const Members = Schema.Struct({ value: Schema.String })

class ValuesApi extends HttpApiGroup.make("values").add(
  HttpApiEndpoint.get("getter", "/value/getter/:wait", {
    params: { wait: Schema.Int },
    success: Members
  }),
  HttpApiEndpoint.get("unknownGetter", "/value/unknown-getter/:wait", {
    params: { wait: Schema.Int },
    success: Schema.Unknown
  })
) {}

const getter = (name: string) => ({
  get value() {
    return returns(name, "well")
  }
})

const waited = (wait: number, name: string) =>
  wait === 0 ? Effect.succeed(name) : Effect.as(Effect.sleep(1), `${name} after a wait`)

export const Schemas = Plugin.make("test:schemas", {
  routes: [
    Route.public(SchemasApi, (handlers) =>
      handlers.handleAll({
        constructed: ({ payload }) => Effect.succeed(payload.value),
        defaulted: ({ payload }) => Effect.succeed(payload.value),
        error: () => Effect.fail(new Refused({ value: "well" })),
        filtered: ({ payload }) => Effect.succeed(payload.value),
        form: ({ payload }) => Effect.succeed(payload.value),
        headers: ({ headers }) => Effect.succeed(headers["x-value"]),
        params: ({ params }) => Effect.succeed(params.value),
        payload: ({ payload }) => Effect.succeed(payload.value),
        query: ({ query }) => Effect.succeed(query.value),
        replyHeaders: () =>
          Effect.succeed(
            HttpApiSchema.withHeaders({ body: "well", headers: { "x-value": "well" } })
          ),
        success: () => Effect.succeed("well"),
        successes: () => Effect.succeed("well"),
        successFiltered: () => Effect.succeed("well"),
        text: () => Effect.succeed("well")
      })
    ),
    Route.public(ValuesApi, (handlers) =>
      handlers.handleAll({
        getter: ({ params }) => Effect.map(waited(params.wait, "a getter"), getter),
        unknownGetter: ({ params }) =>
          Effect.map(waited(params.wait, "a getter of an unknown value"), getter)
      })
    )
  ]
})

const value = posts({ value: "well" })

const members = { body: '{"value":"well"}' }

export const schemas = [
  subject("the constructor of a payload's class", "/constructed", plain, { init: value }),
  subject("the decoding default of a payload", "/defaulted", effectful, { init: posts({}) }),
  subject("the check of a payload", "/filtered", plain, { init: value }),
  subject("the check of a success", "/success-filtered", plain),
  subject("the decoding of a form", "/form", effectful, {
    init: { body: new URLSearchParams({ value: "well" }), method: "POST" }
  }),
  subject("the decoding of a payload", "/payload", effectful, { init: value }),
  subject("the decoding of a query", "/query?value=well", effectful),
  subject("the decoding of headers", "/headers", effectful, {
    init: { headers: { "x-value": "well" } }
  }),
  subject("the decoding of params", "/params/well", effectful),
  subject("the encoding of a success with headers", "/reply-headers", effectful),
  subject("the encoding of a success", "/success", effectful),
  subject("the encoding of a text", "/text", effectful, { body: "well" }),
  subject("the encoding of an error", "/error", effectful, { status: 409 }),
  subject("the encoding of one of two successes", "/successes", effectful),
  subject("the encoding of reply headers", "/reply-headers", effectful),
  ...["", " after a wait"].flatMap((when, wait) => [
    subject(`a getter of an unknown value${when}`, `/value/unknown-getter/${wait}`, plain, members),
    subject(`a getter${when}`, `/value/getter/${wait}`, plain, members)
  ])
]
