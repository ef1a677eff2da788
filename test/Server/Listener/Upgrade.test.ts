/** Requests that offer to upgrade their connection, and clients that leave meanwhile. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Cookies from "effect/http/Cookies"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Middleware, Plugin, Route } from "flange"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { boot, type Counted } from "../counted.ts"
import { arrives, guardProcess, until } from "../userCode/server.ts"

guardProcess()

const success = Schema.String

class UpgradeApi extends HttpApiGroup.make("upgrade").add(
  HttpApiEndpoint.get("badHeader", "/bad-header", { success }),
  HttpApiEndpoint.get("cookies", "/cookies", { success }),
  HttpApiEndpoint.post("json", "/json", { payload: Schema.Struct({ a: success }), success }),
  HttpApiEndpoint.get("opened", "/opened", { success }),
  HttpApiEndpoint.get("plain", "/plain", { success }),
  HttpApiEndpoint.get("waiting", "/waiting", { success })
) {}

let door: Deferred.Deferred<void>
let arrived: number

const UpgradePlugin = Plugin.make("test:upgrade", {
  middleware: [
    Middleware.before("bad header", {
      build: Effect.succeed(({ path }) =>
        path === "/bad-header"
          ? (request) => {
              request.setHeader("x-bad", "a\r\nb: c")
              return Middleware.pass
            }
          : undefined
      ),
      slot: "Custom"
    })
  ],
  routes: [
    Route.public(UpgradeApi, (handlers) =>
      handlers.handleAll({
        badHeader: () => Effect.succeed("never sent"),
        cookies: () =>
          // A handler may return a response.
          Effect.succeed(
            HttpServerResponse.text("two", {
              cookies: Cookies.fromSetCookie(["a=1; Path=/", "b=2"])
            }) as never
          ),
        json: ({ payload }) => Effect.succeed(payload.a),
        opened: () =>
          // A handler may return a response.
          Effect.succeed(HttpServerResponse.stream(Stream.make(new Uint8Array([120]))) as never),
        plain: () => Effect.succeed("plain"),
        waiting: () =>
          Effect.suspend(() => {
            arrived++
            return Effect.as(Deferred.await(door), "waited")
          })
      })
    )
  ]
})

const head = (method: string, path: string, ...lines: ReadonlyArray<string>) =>
  [`${method} ${path} HTTP/1.1`, ...lines, "", ""].join("\r\n")

const upgrade = (protocol: string) => ["Connection: Upgrade", `Upgrade: ${protocol}`]

for (const name of ["node", "proxied"] as const) {
  describe(`an upgrade on ${name}`, () => {
    let app: Counted
    beforeEach(async () => {
      arrived = 0
      door = Deferred.makeUnsafe()
      app = await boot(name, [UpgradePlugin])
      // From here on Effect's server is loaded.
      await (await app.ask("/opened")).text()
    })
    afterEach(() => arrives("The end of the app", app.stop()))

    it("does not end the process if the client resets the connection while a handler waits", async () => {
      const client = await app.connect()
      client.send(head("GET", "/waiting", "Host: a", ...upgrade("websocket")))
      await until("The request", () => arrived === 1)
      client.socket.resetAndDestroy()
      await until("The end of the exchange", () => app.open() === 0)
      assert.strictEqual(app.told.at(-1), "/waiting 499")
    })

    it("to HTTP/2 is ignored, and the body is read", async () => {
      for (const [framing, body] of [
        ["Content-Length: 9", '{"a":"x"}'],
        ["Transfer-Encoding: chunked", '9\r\n{"a":"x"}\r\n0\r\n\r\n']
      ] as const) {
        const client = await app.connect()
        const lines = ["Host: a", "Content-Type: application/json", framing, ...upgrade("h2c")]
        client.send(head("POST", "/json", ...lines) + body)
        const { body: answer, status } = await arrives("The reply", client.reply())
        assert.deepStrictEqual([status, answer], [200, '"x"'], framing)
        client.destroy()
      }
    })

    it("with a body is an ordinary request", async () => {
      for (const path of ["/plain", "/opened", "/nowhere"]) {
        const client = await app.connect()
        const lines = ["Host: a", "Transfer-Encoding: chunked", ...upgrade("websocket")]
        client.send(head("POST", path, ...lines) + "0\r\n\r\n")
        const { status } = await arrives("The reply", client.reply())
        assert.strictEqual(status, path === "/nowhere" ? 404 : 405)
        client.destroy()
        await until("The end of the exchange", () => app.open() === 0)
      }
    })

    it("gets each cookie in a line of its own", async () => {
      const client = await app.connect()
      client.send(head("GET", "/cookies", "Host: a", "Connection: Upgrade, close", "Upgrade: echo"))
      const reply = await arrives("The end", client.end())
      assert.deepStrictEqual(reply.match(/(?<=^set-cookie: ).*$/gim), ["a=1; Path=/", "b=2"])
      assert.match(reply, /\r\n\r\ntwo$/)
    })

    it("keeps the rules for Host", async () => {
      for (const hosts of [[], ["Host: a", "Host: b"], ["Host: a b"]]) {
        const client = await app.connect()
        client.send(head("GET", "/plain", ...hosts, ...upgrade("websocket")))
        assert.match(await arrives("The end", client.end()), /^HTTP\/1\.1 400 /)
      }
    })

    it("is answered after the requests before it", async () => {
      const client = await app.connect()
      client.send(
        head("GET", "/waiting", "Host: a") +
          head("GET", "/plain", "Host: a", ...upgrade("websocket"))
      )
      await until("The request", () => arrived === 1)
      Deferred.doneUnsafe(door, Effect.void)
      const replies = [
        await arrives("The first reply", client.reply()),
        await arrives("The second reply", client.reply())
      ]
      assert.deepStrictEqual(
        replies.map(({ body }) => body),
        ['"waited"', '"plain"']
      )
      client.destroy()
    })

    it("is answered with a problem document if a header cannot be sent", async () => {
      const client = await app.connect()
      client.send(head("GET", "/bad-header", "Host: a", ...upgrade("websocket")))
      const { body, status } = await arrives("The reply", client.reply())
      assert.deepStrictEqual([status, JSON.parse(body).code], [500, "INTERNAL_ERROR"])
      assert.strictEqual(app.told.at(-1), "/bad-header 500")
      client.destroy()
    })
  })
}
