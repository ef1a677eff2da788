// Event streams of a topic in memory. Run it with --expose-gc.
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { App, Plugin, Route } from "flange"
import * as Realtime from "flange/Realtime"
import { EventStream } from "flange/Realtime/Contract"
import { host, port } from "./support/Arguments.ts"
import { resident } from "./support/Resident.ts"

const News = EventStream.make({ news: Schema.Struct({ text: Schema.String }) })

const api = HttpApiGroup.make("news").add(
  HttpApiEndpoint.get("events", "/events", News.endpoint),
  HttpApiEndpoint.get("memory", "/memory", {
    success: Schema.Struct({ heap: Schema.Finite, resident: Schema.Finite })
  }),
  HttpApiEndpoint.get("send", "/send", { success: Schema.String })
)

const NewsPlugin = Plugin.make("bench:news", {
  requires: [Realtime.EventLog, Realtime.Sse],
  routes: [
    Route.public(
      api,
      Effect.fn(function* (handlers) {
        const log = yield* Realtime.EventLog
        const sse = yield* Realtime.Sse
        return handlers.handleAll({
          events: () => sse.follow(News, "news"),
          memory: () => Effect.sync(resident),
          send: () =>
            Effect.orDie(
              log.append(News, "news", { data: { text: "x".repeat(100) }, event: "news" })
            )
        })
      })
    )
  ]
})

App.run(
  App.make("bench", [Realtime.sse, NewsPlugin], {
    config: {
      overrides: {
        logging: { level: "warn" },
        server: {
          host,
          listener: process.env["LISTENER"] as "node" | "proxied",
          maxConnections: 20_000,
          port
        }
      }
    }
  })
)
