// A channel with a handler that waits for messages, and a broadcast. Run it with --expose-gc.
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { App, Plugin, Route } from "flange"
import * as Realtime from "flange/Realtime"
import { Channel } from "flange/Realtime/Contract"
import { host, port } from "./support/Arguments.ts"
import { memory } from "./support/Memory.ts"

const Message = Schema.Struct({ text: Schema.String })

const News = Channel.make(HttpApiEndpoint.get("news", "/news"), { receive: Message, send: Message })

const api = HttpApiGroup.make("news").add(
  News.endpoint,
  HttpApiEndpoint.post("broadcast", "/broadcast", { success: Schema.Finite }),
  HttpApiEndpoint.get("memory", "/memory", {
    success: Schema.Struct({ heap: Schema.Finite, resident: Schema.Finite })
  })
)

const Sockets = Plugin.make("bench:sockets", {
  requires: [Realtime.WebSockets],
  routes: [
    Route.public(
      api,
      Effect.fn(function* (handlers) {
        const { channel } = yield* Realtime.WebSockets
        const news = channel(News)
        return handlers.handleAll({
          broadcast: () => Effect.sync(() => news.broadcast({ text: "x".repeat(100) })),
          memory: () => Effect.sync(memory),
          news: () =>
            news.upgrade((connection) => connection.forEach((message) => connection.send(message)))
        })
      })
    )
  ]
})

App.run(
  App.make("bench", [Realtime.webSockets, Sockets], {
    config: {
      overrides: {
        logging: { level: "warn" },
        server: {
          host,
          listener: process.env["LISTENER"] as "node" | "proxied",
          maxConnections: 20_000,
          port
        },
        webSocket: { idleTimeout: "10 minutes" }
      }
    }
  })
)
