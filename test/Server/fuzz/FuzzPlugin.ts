/** An API with one endpoint for each way in which a request is read. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Socket } from "effect/socket/Socket"
import * as Stream from "effect/Stream"
import { Plugin, Route } from "flange"

const Item = Schema.Struct({
  count: Schema.Int,
  name: Schema.String,
  tags: Schema.optionalKey(Schema.Array(Schema.String))
})

const Form = Schema.Struct({ count: Schema.Int, name: Schema.String })

class FuzzApi extends HttpApiGroup.make("fuzz").add(
  HttpApiEndpoint.post("form", "/form", {
    payload: Form.pipe(HttpApiSchema.asFormUrlEncoded()),
    success: Form
  }),
  HttpApiEndpoint.post("json", "/json/:id", {
    params: { id: Schema.Int },
    payload: Item,
    success: Item
  }),
  HttpApiEndpoint.post("multipart", "/multipart", {
    payload: Form.pipe(HttpApiSchema.asMultipart()),
    success: Form
  }),
  HttpApiEndpoint.get("nothing", "/nothing"),
  HttpApiEndpoint.get("read", "/read/:id", {
    headers: { "x-number": Schema.optionalKey(Schema.Int) },
    params: { id: Schema.String },
    query: {
      flag: Schema.optionalKey(Schema.Boolean),
      list: Schema.optionalKey(Schema.Array(Schema.Int))
    },
    success: Schema.Unknown
  }),
  HttpApiEndpoint.post("streamed", "/streamed", {
    payload: HttpApiSchema.StreamUint8Array(),
    success: Schema.Int
  }),
  HttpApiEndpoint.post("text", "/text", {
    payload: Schema.String.pipe(HttpApiSchema.asText()),
    success: Schema.String
  }),
  HttpApiEndpoint.get("tunnel", "/tunnel", {
    success: HttpApiSchema.Upgrade({ protocol: "tunnel" })
  }),
  HttpApiEndpoint.get("webSocket", "/socket")
) {}

/** Reads from an upgraded connection for a short time. */
const reads = (socket: Socket) =>
  Effect.gen(function* () {
    const { pull } = yield* socket.reader
    yield* Effect.forever(Effect.timeout(pull, "200 millis"))
  }).pipe(Effect.scoped, Effect.ignore)

const router = Layer.mergeAll(
  HttpRouter.add("GET", "/raw/:id", Effect.map(HttpRouter.params, HttpServerResponse.jsonUnsafe)),
  HttpRouter.add(
    "POST",
    "/raw/body",
    Effect.flatMap(HttpServerRequest, ({ text }) => Effect.map(text, HttpServerResponse.text))
  )
)

/** The plugin. */
export const FuzzPlugin = Plugin.make("test:fuzz", {
  routes: [
    Route.public(FuzzApi, (handlers) =>
      handlers
        .handle("form", ({ payload }) => Effect.succeed(payload))
        .handle("json", ({ payload }) => Effect.succeed(payload))
        .handle("multipart", ({ payload }) => Effect.succeed(payload))
        .handle("nothing", () => Effect.void)
        .handle("read", ({ headers, params, query, request }) =>
          Effect.succeed({ cookies: request.cookies, headers, params, query })
        )
        .handle("streamed", ({ payload }) =>
          Effect.orDie(
            Stream.runFold(
              payload,
              () => 0,
              (total, { length }) => total + length
            )
          )
        )
        .handle("text", ({ payload }) => Effect.succeed(payload))
        .handle("tunnel", ({ upgrade }) => Effect.flatMap(upgrade(), reads))
        .handleRaw("webSocket", ({ request }) =>
          Effect.flatMap(Effect.orDie(request.upgrade), reads)
        )
    ),
    Route.raw("raw", router, { access: "public" })
  ]
})
