/** What a request to a channel gets that does not become a WebSocket. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { App, Plugin, Route } from "flange"
import * as Realtime from "flange/Realtime"
import { Channel } from "flange/Realtime/Contract"
import { TestApp } from "flange/Testing"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { boot, type Counted } from "../../Server/counted.ts"
import { Client as Http2Client } from "../../Server/Listener/Node/Http2/client.ts"
import { arrives, guardProcess } from "../../Server/userCode/server.ts"

guardProcess()

const Chat = Channel.make(HttpApiEndpoint.get("chat", "/chat"), {
  receive: Schema.String,
  send: Schema.String
})

const Forgetful = Channel.make(HttpApiEndpoint.get("forgetful", "/forgetful"), {
  receive: Schema.String,
  send: Schema.String
})

class RoomsApi extends HttpApiGroup.make("rooms").add(Chat.endpoint, Forgetful.endpoint) {}

const Rooms = Plugin.make("test:rooms", {
  requires: [Realtime.WebSockets],
  routes: [
    Route.public(
      RoomsApi,
      Effect.fn(function* (handlers) {
        const { channel } = yield* Realtime.WebSockets
        const chat = channel(Chat)
        const forgetful = channel(Forgetful)
        return handlers.handleAll({
          chat: () => chat.upgrade(({ closed }) => closed),
          // As in a program that Node runs without its types, or one with a cast.
          forgetful: () =>
            Effect.asVoid(forgetful.upgrade(({ closed }) => closed)) as Effect.Effect<never>
        })
      })
    )
  ]
})

const ordinary = (path: string, ...lines: ReadonlyArray<string>) =>
  [`GET ${path} HTTP/1.1`, "Host: a", ...lines, "", ""].join("\r\n")

/** The options of the connection in all lines of a head. */
const optionsIn = (head: string) =>
  [...head.matchAll(/^connection: (.*)$/gim)].flatMap(([, value]) =>
    value!.toLowerCase().split(/, */)
  )

for (const name of ["node", "proxied"] as const) {
  describe(`an ordinary request to a channel on ${name}`, () => {
    let app: Counted
    beforeEach(async () => {
      app = await boot(name, [Realtime.webSockets, Rooms], {
        h2c: name === "node",
        listener: name
      })
    })
    afterEach(() => arrives("The end of the app", app.stop()))

    it("is told what to upgrade to, and its connection stays open", async () => {
      const client = await app.connect()
      for (let i = 0; i < 2; i++) {
        client.send(ordinary("/chat"))
        const { body, headers, status } = await arrives("The reply", client.reply())
        assert.strictEqual(status, 426)
        assert.strictEqual(JSON.parse(body).code, "UPGRADE_REQUIRED")
        assert.strictEqual(headers["upgrade"], "websocket")
        assert.strictEqual(headers["sec-websocket-version"], "13")
        assert.strictEqual(headers["connection"]?.toLowerCase(), "upgrade")
      }
      client.destroy()
    })

    it("that is the last of its connection ends it", async () => {
      const client = await app.connect()
      client.send(ordinary("/chat", "Connection: close"))
      const text = await arrives("The end", client.end())
      assert.match(text, /^HTTP\/1\.1 426 /)
      assert.sameMembers(optionsIn(text), ["close", "upgrade"])
    })

    it.runIf(name === "node")("over HTTP/2 gets no field that HTTP/2 forbids", async () => {
      const client = new Http2Client(app.url)
      const { headers, text } = await arrives("The reply", client.request("/chat"))
      client.close()
      assert.strictEqual(headers[":status"], 426)
      assert.strictEqual(JSON.parse(text).detail, "This path speaks WebSocket over HTTP/1.1 only")
      assert.doesNotHaveAnyKeys(headers, ["connection", "upgrade"])
    })
  })
}

it("a channel handler that returns no reply is a 500, and the log names it and what to write", () =>
  Effect.gen(function* () {
    const test = yield* TestApp.make(App.make("rooms", [Realtime.webSockets, Rooms]))
    const reply = yield* test.get("/forgetful")
    reply.expectProblem("INTERNAL_ERROR", 500)
    const cause = test.logs.map((entry) => Cause.pretty(entry.cause ?? Cause.empty)).join("")
    assert.include(cause, "The handler of rooms.forgetful returned no reply")
    assert.include(cause, "return yield* channel.upgrade(...)")
  }).pipe(Effect.scoped, Effect.runPromise))
