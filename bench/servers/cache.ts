// A page of products: made for each request, from the cache, and as a text that is made once.
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import { App, Plugin, Route } from "flange"
import * as Cache from "flange/Cache"
import { ResponseCache } from "flange/Cache/Contract"
import { Ready, server } from "./effect/FlangeHost.ts"
import { page, seconds } from "./support/Page.ts"

const Page = Schema.Struct({
  products: Schema.Array(
    Schema.Struct({
      id: Schema.Int,
      name: Schema.String,
      price: Schema.Finite,
      tags: Schema.Array(Schema.String)
    })
  )
})

class PagesApi extends HttpApiGroup.make("pages").add(
  HttpApiEndpoint.get("cached", "/cached", { success: Page }).annotate(
    ResponseCache,
    ResponseCache.public(seconds * 1000)
  ),
  HttpApiEndpoint.get("fixed", "/fixed", { success: Page }),
  HttpApiEndpoint.get("uncached", "/uncached", { success: Page })
) {}

// As many bytes as a hit has.
const text = HttpServerResponse.text(JSON.stringify(page()), {
  contentType: "application/json",
  headers: {
    age: "0",
    "cache-control": `public, max-age=${seconds}`,
    etag: `"${"x".repeat(27)}"`,
    "last-modified": "Thu, 01 Jan 1970 00:00:00 GMT",
    "x-cache": "HIT"
  }
})

const Pages = Plugin.make("bench:pages", {
  routes: [
    Route.public(PagesApi, (handlers) =>
      handlers.handleAll({
        cached: () => Effect.sync(page),
        fixed: () => Effect.succeed(text),
        uncached: () => Effect.sync(page)
      })
    )
  ]
})

App.run(
  App.make("bench", [Cache.plugin, Pages, Ready], {
    config: { environment: "production", values: { server } }
  })
)
