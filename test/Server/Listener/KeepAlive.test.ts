/** Connections that stay open where `node:http` would close them, on the listeners that have sockets. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Plugin, Route } from "flange"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { boot, type Counted } from "../counted.ts"
import { guardProcess, until } from "../userCode/server.ts"
import { replies } from "./Proxied/rig.ts"

guardProcess()

class KeptApi extends HttpApiGroup.make("kept").add(
  HttpApiEndpoint.get("hold", "/hold", { success: Schema.String }),
  HttpApiEndpoint.post("json", "/json", { payload: Schema.Json, success: Schema.Json }),
  HttpApiEndpoint.get("nothing", "/nothing")
) {}

const message = (line: string, ...fields: ReadonlyArray<string>) =>
  [line, "Host: a", ...fields, "", ""].join("\r\n")

for (const name of ["node", "proxied"] as const) {
  describe(`a connection on ${name}`, () => {
    let app: Counted
    const gate = Deferred.makeUnsafe<void>()
    beforeAll(async () => {
      const Kept = Plugin.make("test:kept", {
        routes: [
          Route.public(KeptApi, (handlers) =>
            handlers.handleAll({
              hold: () => Effect.as(Deferred.await(gate), "held"),
              json: ({ payload }) => Effect.succeed(payload),
              nothing: () => Effect.void
            })
          ),
          Route.raw(
            "raw",
            Layer.mergeAll(
              HttpRouter.add("GET", "/raw/nothing", HttpServerResponse.empty()),
              HttpRouter.add("POST", "/raw/read", ({ text }) =>
                Effect.map(Effect.orDie(text), (text) => HttpServerResponse.text(text))
              )
            ),
            { access: "public" }
          )
        ]
      })
      app = await boot(name, [Kept])
    })
    afterAll(() => app.stop())

    it.each(["GET /nothing", "GET /raw/nothing", "HEAD /nothing", "OPTIONS /json"])(
      "of HTTP/1.0 stays open after %s, whose reply has no body",
      async (line) => {
        const client = await app.connect()
        for (let i = 0; i < 2; i++) {
          client.send(message(`${line} HTTP/1.0`, "Connection: keep-alive"))
          assert.strictEqual((await client.reply("HEAD")).headers["connection"], "keep-alive")
        }
        client.send(message(`${line} HTTP/1.0`))
        assert.strictEqual((await client.reply("HEAD")).headers["connection"], "close")
        assert.strictEqual(await client.end(), "")
        client.destroy()
      }
    )

    it("stays open if a body with Expect comes without being asked for, behind others", async () => {
      const before = app.told.filter((told) => told === "/nothing 204").length
      const client = await app.connect()
      const fields = ["Content-Type: application/json", "Content-Length: 4", "Expect: 100-continue"]
      const expected = ["/json", "/raw/read", "/json"].map(
        (path) => `${message(`POST ${path} HTTP/1.1`, ...fields)}true`
      )
      client.send(message("GET /hold HTTP/1.1") + expected.join(""))
      client.send(message("GET /nothing HTTP/1.1", "Connection: close"))
      await until(
        "The last request",
        () => app.told.filter((told) => told === "/nothing 204").length > before
      )
      Effect.runSync(Deferred.succeed(gate, undefined))
      const all = replies(await client.end()).filter(({ status }) => status !== 100)
      assert.deepStrictEqual(
        all.map(({ body }) => body),
        ['"held"', "true", "true", "true", ""]
      )
      client.destroy()
    })
  })
}
