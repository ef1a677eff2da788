/** An app in memory whose replies are compressed. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import { App, Plugin, Route } from "flange"
import * as Compression from "flange/Compression"

class TextsApi extends HttpApiGroup.make("texts").add(
  HttpApiEndpoint.get("read", "/:size", {
    params: { size: Schema.Int },
    success: Schema.String
  })
) {}

/** Returns JSON of this length, such as an API sends it. */
export const bodyOf = (size: number): string => {
  let rows = ""
  for (let i = 0; rows.length < size; i++) {
    rows += JSON.stringify({
      id: i,
      name: `Item ${(i * 7919) % 1000}`,
      price: ((i * 31) % 997) / 10
    })
  }
  return rows.slice(0, size)
}

const replies = new Map<number, HttpServerResponse.HttpServerResponse>()

const replyOf = (size: number): HttpServerResponse.HttpServerResponse => {
  const known = replies.get(size)
  if (known !== undefined) return known
  const made = HttpServerResponse.text(bodyOf(size), { contentType: "application/json" })
  replies.set(size, made)
  return made
}

const Texts = Plugin.make("bench:texts", {
  routes: [
    Route.public(TextsApi, (handlers) =>
      handlers.handleAll({ read: ({ params }) => Effect.succeed(replyOf(params.size)) })
    )
  ]
})

export const { handler } = App.toWebHandler(
  App.make("bench", [Compression.plugin, Texts], { config: { environment: "production" } })
)
