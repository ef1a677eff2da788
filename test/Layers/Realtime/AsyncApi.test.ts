/** What documents tell of channels. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { App, Plugin, Route } from "flange"
import * as OpenApi from "flange/OpenApi"
import * as Realtime from "flange/Realtime"
import { Channel } from "flange/Realtime/Contract"
import { assert, describe, it } from "vitest"

const Chat = Channel.make(
  HttpApiEndpoint.get("chat", "/chat/:room", { params: { room: Schema.String } }),
  {
    receive: Schema.Struct({ text: Schema.String }),
    send: Schema.Struct({ at: Schema.Int }),
    subprotocols: ["v1"]
  }
)

const api = HttpApiGroup.make("talk").add(
  Chat.endpoint,
  HttpApiEndpoint.get("news", "/news", {
    success: HttpApiSchema.StreamSse({
      events: Schema.Struct({ data: Schema.String, event: Schema.Literal("news") })
    })
  }),
  HttpApiEndpoint.get("other", "/other")
)

const Talk = Plugin.make("test:talk", {
  requires: [Realtime.WebSockets],
  routes: [
    Route.public(
      api,
      Effect.fn(function* (handlers) {
        const chat = (yield* Realtime.WebSockets).channel(Chat)
        return handlers.handleAll({
          chat: () => chat.upgrade(() => Effect.void),
          news: () => Effect.succeed(Stream.empty),
          other: () => Effect.void
        })
      })
    )
  ]
})

const app = App.make("shop", [OpenApi.plugin, Realtime.asyncApi, Realtime.webSockets, Talk])

const document = async (path: string): Promise<unknown> => {
  const web = App.toWebHandler(app)
  const response = await web.handler(new Request(`http://app${path}`))
  const body: unknown = await response.json()
  await web.dispose()
  return body
}

/** Returns a part of a document. */
const at = (value: unknown, ...names: ReadonlyArray<string>): unknown =>
  names.reduce((inner, name) => (inner as Readonly<Record<string, unknown>>)[name], value)

const keys = (value: unknown): ReadonlyArray<string> => Object.keys(value as object)

describe("a channel", () => {
  it("is in the AsyncAPI document, as event streams are", async () => {
    const found = await document("/asyncapi.json")
    assert.deepStrictEqual(at(found, "info"), { title: "shop", version: "0.0.0" })
    assert.deepStrictEqual(keys(at(found, "channels")), ["talk.chat", "talk.news"])
    const chat = at(found, "channels", "talk.chat")
    assert.deepStrictEqual(at(chat, "address"), "/chat/{room}")
    assert.deepStrictEqual(at(chat, "parameters"), { room: {} })
    assert.deepStrictEqual(at(chat, "messages", "receive", "payload", "required"), ["text"])
    assert.deepStrictEqual(at(chat, "messages", "send", "payload", "required"), ["at"])
    assert.deepStrictEqual(keys(at(found, "channels", "talk.news", "messages")), ["send"])
    assert.deepStrictEqual(keys(at(found, "operations")), [
      "talk.chat.receive",
      "talk.chat.send",
      "talk.news.send"
    ])
    assert.deepStrictEqual(at(found, "operations", "talk.chat.send"), {
      action: "send",
      channel: { $ref: "#/channels/talk.chat" },
      messages: [{ $ref: "#/channels/talk.chat/messages/send" }]
    })
  })

  it("is in the OpenAPI document with the schemas of its messages", async () => {
    const get = at(await document("/openapi.json"), "paths", "/chat/{room}", "get")
    assert.deepStrictEqual(at(get, "x-websocket", "receive", "required"), ["text"])
    assert.deepStrictEqual(at(get, "x-websocket", "send", "required"), ["at"])
    assert.deepStrictEqual(at(get, "x-websocket", "subprotocols"), ["v1"])
    assert.includeMembers([...keys(at(get, "responses"))], ["101", "426"])
    assert.notInclude(keys(at(get, "responses")), "204")
  })

  it("is in the ledger of routes", () => {
    const names = App.describe(app).routes.map(({ name }) => name)
    assert.include(names, "talk.chat")
  })

  it("is refused where the listener cannot upgrade", async () => {
    assert.strictEqual(at(await document("/chat/a"), "code"), "UPGRADE_REQUIRED")
  })

  it("begins with GET", () => {
    assert.throws(
      () =>
        Channel.make(HttpApiEndpoint.post("chat", "/chat"), {
          receive: Schema.String,
          send: Schema.String
        }),
      /use HttpApiEndpoint\.get/
    )
  })
})
