/** Channels over a real connection: both directions, refusals, limits, and the end. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { Plugin, Route } from "flange"
import * as Realtime from "flange/Realtime"
import { Channel } from "flange/Realtime/Contract"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { WebSocket } from "ws"
import { boot, type Counted } from "../../Server/counted.ts"
import { arrives, guardProcess, until } from "../../Server/userCode/server.ts"

guardProcess()

const Say = Schema.Struct({ text: Schema.String })

const Said = Schema.Struct({ room: Schema.String, text: Schema.String })

const Chat = Channel.make(
  HttpApiEndpoint.get("chat", "/v1/chat/:room", { params: { room: Schema.String } }),
  { receive: Say, send: Said }
)

class ChatApi extends HttpApiGroup.make("chat").add(Chat.endpoint) {}

const ChatPlugin = Plugin.make("test:chat", {
  requires: [Realtime.WebSockets],
  routes: [
    Route.public(
      ChatApi,
      Effect.fn(function* (handlers) {
        const sockets = yield* Realtime.WebSockets
        const chat = sockets.channel(Chat)
        return handlers.handleAll({
          chat: ({ params }) =>
            chat.upgrade((connection) =>
              connection.forEach(({ text }) => connection.send({ room: params.room, text }))
            )
        })
      })
    )
  ]
})

for (const name of ["node", "proxied"] as const) {
  describe(`a channel on ${name}`, () => {
    let app: Counted
    beforeEach(async () => {
      app = await boot(name, [Realtime.webSockets, ChatPlugin])
    })
    afterEach(() => arrives("The end of the app", app.stop()))

    it("echoes", async () => {
      const ws = new WebSocket(`${app.url.replace("http", "ws")}/v1/chat/a`)
      await arrives("open", new Promise((resolve) => ws.once("open", resolve)))
      ws.send(JSON.stringify({ text: "hi" }))
      const data = await arrives("message", new Promise((resolve) => ws.once("message", resolve)))
      assert.deepStrictEqual(JSON.parse(String(data)), { room: "a", text: "hi" })
      ws.close()
      await arrives("close", new Promise((resolve) => ws.once("close", resolve)))
      await until("The end of the exchange", () => app.open() === 0)
      assert.deepStrictEqual(app.told, ["/v1/chat/a 101"])
    })
  })
}
