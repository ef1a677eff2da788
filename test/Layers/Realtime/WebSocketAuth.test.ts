/** Who may open a channel of a protected route. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { Plugin, Route } from "flange"
import * as Auth from "flange/Auth"
import * as Realtime from "flange/Realtime"
import { Channel } from "flange/Realtime/Contract"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { boot, type Counted } from "../../Server/counted.ts"
import { arrives, guardProcess } from "../../Server/userCode/server.ts"
import { handshake, say } from "./WebSocketRig.ts"

guardProcess()

const Whoami = Channel.make(HttpApiEndpoint.get("whoami", "/whoami"), {
  receive: Schema.Struct({ text: Schema.String }),
  send: Schema.Struct({ subject: Schema.String })
})

const WhoamiPlugin = Plugin.make("test:whoami", {
  requires: [Realtime.WebSockets],
  routes: [
    Route.protected(
      HttpApiGroup.make("whoami").add(Whoami.endpoint),
      Effect.fn(function* (handlers) {
        const whoami = (yield* Realtime.WebSockets).channel(Whoami)
        return handlers.handleAll({
          whoami: ({ identity }) =>
            whoami.upgrade((connection) =>
              connection.forEach(() => connection.send({ subject: identity.subject }))
            )
        })
      })
    )
  ]
})

const key = "k".repeat(40)

for (const name of ["node", "proxied"] as const) {
  describe(`a protected channel on ${name}`, () => {
    let app: Counted
    beforeEach(async () => {
      const backend = (name: string, source: Auth.Source) =>
        Auth.apiKey({
          name,
          source,
          validate: Auth.keys([{ identity: { subject: "ada" }, key: Redacted.make(key) }])
        })
      app = await boot(name, [
        Auth.plugin({
          default: Auth.chain([
            backend("header", Auth.header("x-api-key")),
            backend("cookie", Auth.cookie("key"))
          ])
        }),
        Realtime.webSockets,
        WhoamiPlugin
      ])
    })
    afterEach(() => arrives("The end of the app", app.stop()))

    const statusOf = async (...lines: ReadonlyArray<string>) => {
      const client = await app.connect()
      client.send(handshake("/whoami", ...lines))
      const { status } = await arrives("The reply", client.reply())
      client.destroy()
      return status
    }

    it("refuses a handshake without credentials, and one of another page", async () => {
      assert.strictEqual(await statusOf(), 401)
      assert.strictEqual(await statusOf(`Cookie: key=${key}`), 403)
      assert.strictEqual(await statusOf(`Cookie: key=${key}`, "Origin: https://evil.example"), 403)
    })

    it.each([
      ["a header", `X-Api-Key: ${key}`],
      ["a cookie of its own page", `Cookie: key=${key}\r\nOrigin: http://a`]
    ])("knows its caller by %s", async (_, line) => {
      const client = await app.connect()
      client.send(handshake("/whoami", line) + say("who").toString("latin1"))
      await arrives(
        "The message",
        client.until((text) => text.includes('{"subject":"ada"}'))
      )
      client.destroy()
    })
  })
}
