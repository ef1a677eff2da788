/** Which requests of a connection are answered, and when it ends, on the listeners that have sockets. */
import { setImmediate, setTimeout as sleep } from "node:timers/promises"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { BodyLimit, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"
import { afterAll, assert, beforeAll, beforeEach, describe, it, vi } from "vitest"
import { maxDropped, maxSilence } from "../../../src/Server/Listener/Linger.ts"
import { boot, type Counted } from "../counted.ts"
import { guardProcess, until } from "../userCode/server.ts"
import { type Client, replies } from "./Proxied/rig.ts"

guardProcess()

class OpenApi extends HttpApiGroup.make("open").add(
  HttpApiEndpoint.get("hold", "/hold", { success: Schema.String }),
  HttpApiEndpoint.post("json", "/json", { payload: Schema.Json, success: Schema.Json }),
  HttpApiEndpoint.get("now", "/now", { success: Schema.String }),
  HttpApiEndpoint.post("short", "/short", {
    payload: Schema.Json,
    success: Schema.String
  }).annotate(BodyLimit, 16),
  HttpApiEndpoint.post("unread", "/unread", { success: Schema.String })
) {}

class SecretApi extends HttpApiGroup.make("secret").add(
  HttpApiEndpoint.post("secret", "/secret", { payload: Schema.Json, success: Schema.String })
) {}

const AuthPlugin = Auth.plugin({ default: Auth.chain([Auth.bearer([])]) })

const bytes = (text: string) => text.replaceAll("^", "\r\n")
const get = (path: string, fields = "") => bytes(`GET ${path} HTTP/1.1^Host: a^${fields}^`)
const post = (path: string, fields: string, body = "") =>
  bytes(`POST ${path} HTTP/1.1^Host: a^${fields}^`) + body
const json = "Content-Type: application/json^"
interface Refused {
  readonly client: Client
  readonly closed: Promise<void>
  readonly silence: () => void
}

const statuses = (text: string) => replies(text).map(({ status }) => status)

for (const name of ["node", "proxied"] as const) {
  describe(`a connection on ${name}`, () => {
    let app: Counted
    let gate: Deferred.Deferred<void>
    const server = { headersTimeout: "1 second", keepAlive: "1 second", maxConnections: 4 }
    const start = () => {
      const Answers = Plugin.make("test:answers", {
        routes: [
          Route.public(OpenApi, (handlers) =>
            handlers.handleAll({
              hold: () => Effect.as(Deferred.await(gate), "held"),
              json: ({ payload }) => Effect.succeed(payload),
              now: () => Effect.succeed("now"),
              short: () => Effect.succeed("well"),
              unread: () => Effect.succeed("well")
            })
          ),
          Route.protected(SecretApi, (handlers) =>
            handlers.handleAll({ secret: () => Effect.succeed("well") })
          ),
          Route.raw(
            "raw",
            Layer.mergeAll(
              HttpRouter.add("POST", "/raw/unread", HttpServerResponse.text("well")),
              HttpRouter.add("POST", "/raw/first", ({ stream }) =>
                Effect.as(
                  Effect.orDie(Stream.runDrain(Stream.take(stream, 1))),
                  HttpServerResponse.text("first")
                )
              ),
              HttpRouter.add("POST", "/raw/read", ({ text }) =>
                Effect.map(Effect.orDie(text), (text) => HttpServerResponse.text(text))
              )
            ),
            { access: "public" }
          )
        ]
      })
      return boot(name, [AuthPlugin, Answers], server)
    }
    beforeAll(async () => {
      app = await start()
    })
    afterAll(() => app.stop())

    const hold = () => (gate = Deferred.makeUnsafe())
    const release = () => Effect.runSync(Deferred.succeed(gate, undefined))

    /** Everything that comes on a connection until it ends. */
    const whole = async (...pieces: ReadonlyArray<string>): Promise<string> => {
      const client = await app.connect()
      client.socket.setNoDelay()
      for (const piece of pieces) {
        client.send(piece)
        // The server reads in the next turn of the event loop.
        await setImmediate()
      }
      const text = await client.end()
      client.destroy()
      return text
    }

    describe("after a reply that closes it", () => {
      const closing: ReadonlyArray<readonly [string, string, number]> = [
        ["a request that closes", get("/now", "Connection: close^"), 200],
        ["a request of HTTP/1.0", bytes("GET /now HTTP/1.0^^"), 200],
        [
          "a body that is too long",
          post("/short", `${json}Content-Length: 20^`, "1".repeat(20)),
          413
        ],
        ["a refused Host", bytes("GET /now HTTP/1.1^Host: a b^^"), 400],
        ["a head that is malformed", bytes("GET /now HTTP/1.1^Host: a^a b: c^^"), 400]
      ]
      const further: ReadonlyArray<readonly [string, string]> = [
        ["a request", get("/now")],
        ["many requests", get("/now").repeat(100)],
        ["a body", post("/json", `${json}Content-Length: 4^`, "true")],
        ["an upgrade", get("/now", "Connection: Upgrade^Upgrade: websocket^")],
        ["a malformed head", bytes("GET  /^^")],
        ["no HTTP", "hello\0\r\n\r\n".repeat(50)],
        ["a part of a head", "GET /"]
      ]
      describe.each(closing)("to %s", (_, first, status) => {
        it.each(further)("%s gets no reply, at once or later", async (_, second) => {
          assert.deepStrictEqual(statuses(await whole(first + second)), [status])
          const client = await app.connect()
          client.send(first)
          assert.strictEqual((await client.reply()).status, status)
          client.send(second)
          client.send(second)
          assert.strictEqual(await client.end(), "")
          client.destroy()
        })
      })

      it("a request behind one that is held gets no reply either", async () => {
        hold()
        const client = await app.connect()
        client.send(get("/hold") + bytes("GET /now HTTP/1.1^Host: a b^^"))
        await until("The request", () => app.open() > 0)
        client.send(get("/now") + get("/now"))
        client.send("hello\0")
        release()
        assert.deepStrictEqual(statuses(await client.end()), [200, 400])
        client.destroy()
      })
    })

    const persistence: ReadonlyArray<readonly [version: string, fields: string, stays: boolean]> = [
      ["1.0", "", false],
      ["1.0", "Connection: keep-alive^", true],
      ["1.0", "Connection: Keep-Alive^", true],
      ["1.0", "connection: TE, KEEP-ALIVE^", true],
      ["1.0", "Connection: close^", false],
      ["1.0", "Connection: close, keep-alive^", false],
      ["1.0", "Connection: keep-alive, close^", false],
      ["1.0", "Connection: Keep-Alive,CLOSE^", false],
      ["1.0", "CONNECTION:close ,\tkeep-alive^", false],
      ["1.0", "Connection: close^Connection: keep-alive^", false],
      ["1.0", "Connection: keep-alive^Connection: Close^", false],
      ["1.0", "Connection: keep-alive^X: y^connection: TE^Connection: close^", false],
      ["1.1", "", true],
      ["1.1", "Connection: keep-alive^", true],
      ["1.1", "Connection: TE^", true],
      ["1.1", "Connection: close^", false],
      ["1.1", "Connection: close, keep-alive^", false],
      ["1.1", "Connection: keep-alive,CLOSE^", false],
      ["1.1", "Connection: keep-alive^Connection: close^", false],
      ["1.1", "Connection: close^Connection: keep-alive^", false]
    ]
    it.each(persistence)("of HTTP/%s with %o stays open: %o", async (version, fields, stays) => {
      const client = await app.connect()
      const request = bytes(`GET /now HTTP/${version}^Host: a^${fields}^`)
      client.send(request)
      const { headers, status } = await client.reply()
      assert.strictEqual(status, 200)
      client.send(request)
      if (stays) assert.strictEqual((await client.reply()).status, 200)
      else {
        assert.strictEqual(headers["connection"], "close")
        assert.strictEqual(await client.end(), "")
      }
      client.destroy()
    })

    describe("skips empty lines", () => {
      const last = get("/now", "Connection: close^")
      it.each([1, 2, 8])("before requests: %i", async (count) => {
        const empty = "\r\n".repeat(count)
        const before = post("/json", `${json}Content-Length: 4^`, "true")
        const chunked = post("/json", `${json}Transfer-Encoding: chunked^`, bytes("4^true^0^^"))
        const all = empty + before + empty + get("/now") + empty + chunked + empty + last
        assert.deepStrictEqual(statuses(await whole(all)), [200, 200, 200, 200])
        assert.deepStrictEqual(statuses(await whole(...all)), [200, 200, 200, 200])
      })

      it("that come alone, until the next request takes too long", async () => {
        const client = await app.connect()
        const drip = setInterval(() => client.send("\r\n"), 300)
        client.send(get("/now"))
        assert.deepStrictEqual(statuses(await client.end()).slice(0, 1), [200])
        clearInterval(drip)
        client.destroy()
      })
    })

    describe("with Expect: 100-continue", () => {
      const expected = (path: string, fields: string) =>
        post(path, `${fields}Content-Length: 20^Expect: 100-continue^`)
      const refused: ReadonlyArray<readonly [string, string, number]> = [
        ["a missing route", expected("/nowhere", json), 404],
        ["missing credentials", expected("/secret", json), 401],
        ["a long body", expected("/short", json), 413],
        ["another media type", expected("/json", "Content-Type: text/plain^"), 415],
        ["a refused Host", expected("/json", json).replace("Host: a", "Host: a b"), 400],
        ["a handler that does not read", expected("/unread", json), 200],
        ["a router that does not read", expected("/raw/unread", json), 200],
        [
          "a chunked body that nobody reads",
          post("/unread", "Transfer-Encoding: chunked^Expect: 100-continue^"),
          200
        ],
        [
          "another expectation",
          post("/json", `${json}Content-Length: 20^Expect: 100-continue, a^`),
          417
        ]
      ]
      it.each(refused)(
        "gets the final status alone for %s, and closes",
        async (_, request, status) => {
          const [reply, ...others] = replies(await whole(request))
          assert.deepStrictEqual([reply!.status, others], [status, []])
          assert.strictEqual(reply!.headers["connection"], "close")
          // The client does not wait.
          assert.deepStrictEqual(statuses(await whole(request + " ".repeat(20) + get("/now"))), [
            status
          ])
        }
      )

      it.each(refused)(
        "behind a reply that is owed gets it alone too for %s",
        async (_, request, status) => {
          hold()
          const client = await app.connect()
          client.send(get("/hold") + request + get("/now"))
          await until("The requests", () => app.open() > 0)
          await sleep(20)
          assert.strictEqual(client.text, "")
          release()
          assert.deepStrictEqual(statuses(await client.end()), [200, status])
          client.destroy()
        }
      )

      it.each(["/json", "/raw/read"])(
        "is asked for the body of %s when that is read",
        async (path) => {
          const client = await app.connect()
          const request = post(path, `${json}Content-Length: 4^Expect: 100-continue^`)
          for (let i = 0; i < 2; i++) {
            client.send(request)
            assert.strictEqual((await client.reply()).status, 100)
            client.send("true")
            assert.strictEqual((await client.reply()).body, "true")
          }
          client.destroy()
        }
      )

      // The listener proxied closes a connection whose body is read in part.
      if (name === "node") {
        it("stays open if its body is read in part", async () => {
          const client = await app.connect()
          client.send(post("/raw/first", "Content-Length: 10^Expect: 100-continue^"))
          assert.strictEqual((await client.reply()).status, 100)
          client.send("first")
          assert.strictEqual((await client.reply()).body, "first")
          client.send(`other${get("/now")}`)
          assert.strictEqual((await client.reply()).status, 200)
          client.destroy()
        })
      }

      it.each(["/json", "/raw/read"])(
        "is asked for the body of %s after the replies before",
        async (path) => {
          hold()
          const client = await app.connect()
          client.send(get("/hold") + post(path, `${json}Content-Length: 4^Expect: 100-continue^`))
          await until("The requests", () => app.open() > 0)
          await sleep(20)
          assert.strictEqual(client.text, "")
          release()
          assert.strictEqual((await client.reply()).body, '"held"')
          assert.strictEqual((await client.reply()).status, 100)
          client.send(`true${get("/now")}`)
          assert.strictEqual((await client.reply()).body, "true")
          assert.strictEqual((await client.reply()).status, 200)
          client.destroy()
        }
      )
    })

    describe("with a body that nobody reads", () => {
      it.each([
        ["/unread", "Content-Length: 5^", "hello"],
        ["/unread", "Transfer-Encoding: chunked^", bytes("5^hello^0^^")],
        ["/raw/unread", "Content-Length: 5^", "hello"],
        ["/raw/unread", "Transfer-Encoding: chunked^", bytes("5^hello^0^^")]
      ])("POST %s %o reads the next request", async (path, fields, body) => {
        const client = await app.connect()
        for (const pause of [false, true, false]) {
          client.send(post(path, fields, body.slice(0, 3)))
          if (pause) assert.strictEqual((await client.reply()).status, 200)
          client.send(body.slice(3) + get("/now"))
          if (!pause) assert.strictEqual((await client.reply()).status, 200)
          assert.strictEqual((await client.reply()).body, '"now"')
        }
        client.destroy()
      })

      it.each(["/unread", "/raw/unread"])("POST %s ends if the body is long", async (path) => {
        const client = await app.connect()
        client.send(post(path, "Transfer-Encoding: chunked^"))
        assert.strictEqual((await client.reply()).status, 200)
        for (let i = 0; i < 8; i++) client.send(bytes(`10000^${"x".repeat(0x10000)}^`))
        client.send(bytes("0^^") + get("/now"))
        assert.strictEqual(await client.end(), "")
        client.destroy()
      })
    })

    describe("whose client has its last reply", () => {
      // The connections of other tests, which a runtime may count a little longer, are those of another app.
      beforeEach(async () => {
        await app.stop()
        app = await start()
      })

      /** Clients that go on sending after they were refused. */
      const refused = (count: number) =>
        Promise.all(
          Array.from({ length: count }, async () => {
            const client = await app.connect()
            client.send(post("/short", `${json}Content-Length: 100000000^`))
            assert.strictEqual((await client.reply()).status, 413)
            const timer = setInterval(() => client.send("x"), 50)
            const closed = new Promise<void>((resolve) => client.socket.once("close", resolve))
            return { client, closed, silence: () => clearInterval(timer) }
          })
        )

      const status = async () => {
        const client = await app.connect()
        client.send(get("/now"))
        const reply = await client.reply()
        client.destroy()
        return reply.status
      }

      it("counts until it is closed, and is closed if the client is silent", async () => {
        // The listeners read the time, and their timers run.
        vi.useFakeTimers({ toFake: ["performance"] })
        try {
          const clients = await refused(server.maxConnections)
          assert.strictEqual(await status(), 503)
          for (const { silence } of clients) silence()
          while ((await status()) === 503) vi.advanceTimersByTime(maxSilence)
          for (const { client } of clients) client.destroy()
        } finally {
          vi.useRealTimers()
        }
      })

      it("is read no more after many bytes, and closed", async () => {
        const [{ client, closed, silence }] = (await refused(1)) as [Refused]
        silence()
        const piece = Buffer.alloc(1024 * 1024)
        let sent = 0
        const send = () =>
          client.socket.write(piece, (error) => {
            if (error != null) return
            sent += piece.length
            send()
          })
        send()
        await closed
        // The kernel takes a few more.
        assert.isBelow(sent, 4 * maxDropped)
      })

      it("is closed when the app stops", async () => {
        const [{ closed, silence }] = (await refused(1)) as [Refused]
        await app.stop()
        await closed
        silence()
        app = await start()
      })
    })
  })
}
