/** Streams that a handler returns. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as Stream from "effect/Stream"
import { Plugin, Route } from "flange"
import { effectful, runs } from "./misbehave.ts"
import { subject } from "./subject.ts"

/** A text whose encoding is a function of the app, if it is the one to misbehave with. */
const Line = Schema.String.pipe(
  Schema.decodeTo(Schema.String, {
    decode: SchemaGetter.passthrough(),
    encode: SchemaGetter.transformEffect((value) =>
      value === "bad" ? runs("the encoding of a streamed line", value) : Effect.succeed(value)
    )
  })
)

const params = { at: Schema.Literals(["first", "later"]) }

class StreamsApi extends HttpApiGroup.make("streams").add(
  HttpApiEndpoint.get("bytes", "/bytes/:at", { params, success: HttpApiSchema.StreamUint8Array() }),
  HttpApiEndpoint.get("lines", "/lines/:at", {
    params,
    success: HttpApiSchema.StreamNdjson({ schema: Line })
  }),
  HttpApiEndpoint.get("response", "/response/:at", { params })
) {}

const encoder = new TextEncoder()

/** A chunk that comes of a function of the app, in the first place or after another chunk. */
const chunks = (name: string, at: "first" | "later") => {
  const own = Stream.fromEffect(
    Effect.suspend(() => runs(`${name} in its ${at} chunk`, encoder.encode("well")))
  )
  return at === "first" ? own : Stream.concat(Stream.make(encoder.encode("one, ")), own)
}

export const Streams = Plugin.make("test:streams", {
  routes: [
    Route.public(StreamsApi, (handlers) =>
      handlers
        .handleAll({
          bytes: ({ params }) => Effect.succeed(chunks("a stream", params.at)),
          lines: ({ params }) =>
            Effect.succeed(Stream.make(...(params.at === "first" ? [] : ["one"]), "bad"))
        })
        .handleRaw("response", (request) =>
          Effect.succeed(
            HttpServerResponse.stream(
              chunks(
                "a stream of a response",
                request.request.url.endsWith("first") ? "first" : "later"
              )
            )
          )
        )
    )
  ]
})

const both = (name: string, path: string) =>
  (["first", "later"] as const).map((at) =>
    subject(`${name} in its ${at} chunk`, `${path}/${at}`, effectful, { body: "well" })
  )

export const streams = [
  ...both("a stream", "/bytes"),
  ...both("a stream of a response", "/response"),
  subject("the encoding of a streamed line", "/lines/first", effectful, { body: "bad" }),
  subject("the encoding of a streamed line", "/lines/later", effectful, { body: "bad" })
]
