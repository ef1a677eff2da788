/** What a connection may hold, and for how long, on the listeners that have sockets. */
import { setTimeout as sleep } from "node:timers/promises"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Plugin, Route } from "flange"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { boot, type Counted } from "../counted.ts"
import { arrives, guardProcess, until } from "../userCode/server.ts"

guardProcess()

const size = 30_000_000

class LimitsApi extends HttpApiGroup.make("limits").add(
  HttpApiEndpoint.get("hold", "/hold/:n", { params: { n: Schema.Int }, success: Schema.Int }),
  HttpApiEndpoint.get("large", "/large", { success: Schema.String }),
  HttpApiEndpoint.get("stream", "/stream", { success: HttpApiSchema.StreamUint8Array() })
) {}

const large = "0123456789".repeat(size / 10)

const piece = new Uint8Array(65_536)

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`

for (const name of ["node", "proxied"] as const) {
  describe(`a connection on ${name}`, () => {
    let app: Counted
    let begun: Array<number>
    let gate: Deferred.Deferred<void>
    beforeAll(async () => {
      begun = []
      gate = Deferred.makeUnsafe()
      const Limits = Plugin.make("test:limits", {
        routes: [
          Route.public(LimitsApi, (handlers) =>
            handlers.handleAll({
              hold: ({ params }) => {
                begun.push(params.n)
                return Effect.as(Deferred.await(gate), params.n)
              },
              large: () => Effect.succeed(large),
              stream: () => Effect.succeed(Stream.forever(Stream.make(piece)))
            })
          )
        ]
      })
      app = await boot(name, [Limits], {
        maxConnections: 3,
        maxPipelined: 4,
        writeTimeout: "3 seconds"
      })
    })
    afterAll(() => arrives("The end of the app", app.stop()))

    it("has at most server.maxPipelined requests handled at once, and a reply to each", async () => {
      const client = await app.connect()
      client.send(Array.from({ length: 500 }, (_, n) => get(`/hold/${n}`)).join(""))
      await until("The first requests", () => begun.length >= 4)
      await sleep(50)
      assert.deepStrictEqual(begun, [0, 1, 2, 3])
      Effect.runSync(Deferred.succeed(gate, undefined))
      for (let n = 0; n < 500; n++) {
        assert.strictEqual((await arrives(`Reply ${n}`, client.reply())).body, String(n))
      }
      client.destroy()
      await until("The end of the exchanges", () => app.open() === 0)
    })

    it("that closes has no more of its requests handled", async () => {
      begun.length = 0
      gate = Deferred.makeUnsafe()
      const client = await app.connect()
      client.send(Array.from({ length: 500 }, (_, n) => get(`/hold/${n}`)).join(""))
      await until("The first requests", () => begun.length >= 4)
      client.destroy()
      await until("The end of the exchanges", () => app.open() === 0)
      assert.deepStrictEqual(begun, [0, 1, 2, 3])
    })

    /** A client that counts what it reads. */
    const counting = async () => {
      const { socket } = await app.connect()
      let received = 0
      socket.removeAllListeners("data")
      socket.on("data", (bytes) => (received += bytes.length))
      socket.pause()
      return { received: () => received, socket }
    }

    it.each(["/large", "/stream"])(
      "whose client does not read the reply to %s is cut after server.writeTimeout",
      async (path) => {
        const { socket } = await counting()
        socket.write(get(path))
        // Writing tells a client that does not read that its connection is gone.
        const poll = setInterval(() => socket.write("\r\n"), 20)
        await arrives("The end", new Promise((resolve) => socket.once("close", resolve)))
        clearInterval(poll)
        await until("The end of the exchange", () => app.open() === 0)
      }
    )

    it("whose client reads slowly keeps it", async () => {
      const { received, socket } = await counting()
      socket.write(get("/large"))
      for (let part = 1; part <= 10; part++) {
        socket.resume()
        await until("A tenth of the reply", () => received() > (part * size) / 10)
        socket.pause()
        await sleep(100)
      }
      socket.destroy()
    })

    it("above server.maxConnections is answered with 503 and closed", async () => {
      Effect.runSync(Deferred.succeed(gate, undefined))
      const clients = [await app.connect(), await app.connect(), await app.connect()]
      for (const client of clients) {
        client.send(get("/hold/1"))
        assert.strictEqual((await arrives("The reply", client.reply())).status, 200)
      }
      const refused = await app.connect()
      const reply = await arrives("The refusal", refused.reply())
      assert.strictEqual(reply.status, 503)
      assert.strictEqual(reply.headers["connection"]?.toLowerCase(), "close")
      assert.strictEqual(JSON.parse(reply.body).code, "SERVICE_UNAVAILABLE")
      refused.send(get("/hold/2"))
      assert.strictEqual(await arrives("The end", refused.end()), "")
      for (const client of clients) client.destroy()
      await until("A free place", () => app.open() === 0)
      await sleep(20)
      const next = await app.connect()
      next.send(get("/hold/3"))
      assert.strictEqual((await arrives("The reply", next.reply())).body, "3")
      next.destroy()
    })
  })
}
