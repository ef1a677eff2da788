/** What a request that offers an upgrade, and an upgraded connection, may hold and for how long. */
import { setTimeout as sleep } from "node:timers/promises"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpRouter from "effect/http/HttpRouter"
import type { HttpServerError } from "effect/http/HttpServerError"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { isSocketError, type SocketError } from "effect/socket/Socket"
import * as Stream from "effect/Stream"
import { BodyLimit, Middleware, Plugin, Route } from "flange"
import { afterEach, assert, beforeEach, describe, it, vi } from "vitest"
import { maxMillis } from "../../../src/Server/Listener/Linger.ts"
import { boot, type Counted } from "../counted.ts"
import { arrives, guardProcess, until } from "../userCode/server.ts"

guardProcess()

const success = Schema.String

const custom = HttpApiSchema.Upgrade({ protocol: "custom" })

class SocketsApi extends HttpApiGroup.make("sockets").add(
  HttpApiEndpoint.get("custom", "/custom", { success: custom }),
  HttpApiEndpoint.get("declined", "/declined", { success: [custom, success] }),
  HttpApiEndpoint.get("dies", "/dies", { success }),
  HttpApiEndpoint.get("echo", "/echo").annotate(BodyLimit, 100),
  HttpApiEndpoint.get("finite", "/finite"),
  HttpApiEndpoint.get("flood", "/flood"),
  HttpApiEndpoint.post("json", "/json", { payload: Schema.Struct({ a: success }), success }),
  HttpApiEndpoint.get("plain", "/plain", { success }),
  HttpApiEndpoint.get("silent", "/silent")
) {}

let door: Deferred.Deferred<void>
let heard: number
let interrupted: number
let written = 0

interface Upgrading {
  readonly request: HttpServerRequest
}

const closed = (error: HttpServerError | SocketError) =>
  isSocketError(error) ? Effect.void : Effect.die(error)

/** Sends back what it receives. */
const echo = ({ request }: Upgrading) =>
  Effect.gen(function* () {
    const { reader, writer } = yield* request.upgrade
    const { pull } = yield* reader
    const { writeAll } = yield* writer
    return yield* Effect.forever(Effect.flatMap(pull, writeAll))
  }).pipe(Effect.scoped, Effect.catch(closed))

/** Ends when the door opens. */
const finite = ({ request }: Upgrading) =>
  Effect.gen(function* () {
    const { reader } = yield* request.upgrade
    yield* reader
    yield* Deferred.await(door)
  }).pipe(Effect.scoped, Effect.catch(closed))

/** Writes without end, and reads nothing. */
const flood = ({ request }: Upgrading) =>
  Effect.gen(function* () {
    const { reader, writer } = yield* request.upgrade
    yield* reader
    const { write } = yield* writer
    return yield* Effect.forever(
      Effect.andThen(
        write(piece),
        Effect.sync(() => written++)
      )
    )
  }).pipe(Effect.scoped, Effect.catch(closed))

/** Reads nothing until the door opens, then counts. */
const silent = ({ request }: Upgrading) =>
  Effect.gen(function* () {
    const { reader } = yield* request.upgrade
    const { pull } = yield* reader
    yield* Deferred.await(door)
    return yield* Effect.forever(
      Effect.map(pull, (messages) => {
        heard += messages.length
      })
    )
  }).pipe(
    Effect.scoped,
    Effect.onInterrupt(() => Effect.sync(() => interrupted++)),
    Effect.catch(closed)
  )

const piece = new Uint8Array(65_536)

const pieces = 40

const long = pieces * piece.length

const Sockets = Plugin.make("test:sockets", {
  middleware: [
    Middleware.before("refuses", {
      build: Effect.succeed(({ path }) =>
        path === "/echo"
          ? (request) =>
              request.header("authorization") === "none"
                ? Effect.succeed(HttpServerResponse.empty({ status: 401 }))
                : Middleware.pass
          : undefined
      ),
      slot: "Custom"
    })
  ],
  routes: [
    Route.public(SocketsApi, (handlers) =>
      handlers
        .handle("custom", ({ upgrade }) => Effect.asVoid(upgrade()))
        .handle("declined", () => Effect.succeed("declined"))
        .handle("json", ({ payload }) => Effect.succeed(payload.a))
        .handle("plain", () => Effect.succeed("plain"))
        .handleRaw("dies", () => Effect.die("broken"))
        .handleRaw("echo", echo)
        .handleRaw("finite", finite)
        .handleRaw("flood", flood)
        .handleRaw("silent", silent)
    ),
    Route.raw(
      "raw",
      Layer.mergeAll(
        HttpRouter.add("GET", "/raw", HttpServerResponse.text("raw")),
        HttpRouter.add(
          "GET",
          "/raw/long",
          HttpServerResponse.stream(Stream.take(Stream.forever(Stream.make(piece)), pieces))
        ),
        HttpRouter.add(
          "GET",
          "/raw/socket",
          Effect.flatMap(HttpServerRequest, ({ upgrade }) => upgrade).pipe(
            Effect.as(HttpServerResponse.empty())
          )
        ),
        HttpRouter.add("GET", "/raw/waiting", Effect.never)
      ),
      { access: "public" }
    )
  ]
})

const key = "dGhlIHNhbXBsZSBub25jZQ=="

const head = (method: string, path: string, ...lines: ReadonlyArray<string>) =>
  [`${method} ${path} HTTP/1.1`, "Host: a", ...lines, "", ""].join("\r\n")

const offer = (protocol: string) => ["Connection: Upgrade", `Upgrade: ${protocol}`]

const handshake = (path: string, ...lines: ReadonlyArray<string>) =>
  head(
    "GET",
    path,
    ...offer("websocket"),
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${key}`,
    ...lines
  )

/** A masked frame of text or, with `opcode`, of another kind. Source: RFC 6455, section 5.2. */
const frame = (text: string, opcode = 1): Buffer => {
  const length = Buffer.byteLength(text)
  const size = length < 126 ? [0x80 | length] : [0x80 | 126, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([0x80 | opcode, ...size, 0, 0, 0, 0]), Buffer.from(text)])
}

for (const name of ["node", "proxied"] as const) {
  describe(`an upgrade on ${name}`, () => {
    let app: Counted
    beforeEach(async () => {
      door = Deferred.makeUnsafe()
      heard = interrupted = written = 0
      app = await boot(name, [Sockets], {
        bodyTimeout: "300 millis",
        headersTimeout: "300 millis",
        maxConnections: 3,
        requestTimeout: "300 millis",
        writeTimeout: "500 millis"
      })
    })
    afterEach(async () => {
      vi.restoreAllMocks()
      await arrives("The end of the app", app.stop())
    })

    /** A client whose connection is upgraded. */
    const upgraded = async (path: string) => {
      const client = await app.connect()
      client.send(handshake(path))
      await arrives(
        "The upgrade",
        client.until((text) => /^HTTP\/1\.1 101 .*\r\n\r\n/s.test(text))
      )
      return client
    }

    /** Waits until nothing can be written: the other side has destroyed the connection. */
    const destroyed = async ({ socket }: Awaited<ReturnType<Counted["connect"]>>) => {
      const poll = setInterval(() => socket.write("\r\n"), 20)
      await arrives("The destruction", new Promise((resolve) => socket.once("close", resolve)))
      clearInterval(poll)
    }

    it.each([
      ["a WebSocket", handshake("/plain"), 200],
      ["another protocol", head("GET", "/plain", ...offer("echo")), 200],
      ["several protocols", head("GET", "/raw", ...offer("echo, websocket")), 200],
      ["HTTP/2", head("GET", "/raw", ...offer("h2c")), 200],
      ["an unknown path", handshake("/nowhere"), 404],
      ["another method", head("DELETE", "/plain", ...offer("echo")), 405],
      [
        "a body",
        head(
          "POST",
          "/json",
          "Content-Type: application/json",
          "Content-Length: 9",
          ...offer("websocket")
        ) + '{"a":"x"}',
        200
      ],
      ["no key", head("GET", "/echo", ...offer("websocket"), "Sec-WebSocket-Version: 13"), 400],
      [
        "an unknown version",
        head("GET", "/echo", ...offer("websocket"), "Sec-WebSocket-Version: 9"),
        400
      ],
      [
        "an unknown version for a router",
        head("GET", "/raw/socket", ...offer("websocket"), "Sec-WebSocket-Version: 8"),
        400
      ],
      ["a body for a WebSocket", handshake("/echo", "Content-Length: 1") + "x", 400],
      // Its reply has `Connection: Upgrade`.
      ["no valid protocol", head("GET", "/custom", ...offer("other: custom")), 426]
    ])(
      "with %s that no route can do is an ordinary request, and none behind it is lost silently",
      async (_, request, status) => {
        const client = await app.connect()
        client.send(request + request)
        // The parser of Node loses what follows, so that the client has to send it again.
        const count = name === "node" ? 1 : 2
        for (let i = 0; i < count; i++) {
          const reply = await arrives("The reply", client.reply())
          assert.strictEqual(reply.status, status, reply.body)
          assert.strictEqual(/close/i.test(reply.headers["connection"] ?? ""), name === "node")
          if (status === 400) {
            assert.match(reply.body, /The connection cannot be upgraded/)
            assert.strictEqual(reply.headers["sec-websocket-version"], "13")
          }
        }
        if (name === "node") assert.strictEqual(await arrives("The end", client.end()), "")
        client.destroy()
        await until("The end of the exchanges", () => app.open() === 0)
      }
    )

    it.each([
      ["declines it", head("GET", "/declined", ...offer("custom")), 200],
      ["fails", handshake("/dies"), 500],
      ["takes another protocol", head("GET", "/custom", ...offer("other")), 426],
      ["is refused to the caller", handshake("/echo", "Authorization: none"), 401],
      ["is a plain router's", handshake("/raw"), 200]
    ])(
      "whose route %s is answered, and the connection is ended and then destroyed",
      async (_, request, status) => {
        const client = await app.connect()
        // With unread bytes the reply could be lost.
        client.send(request + "x".repeat(100_000))
        const reply = await arrives("The reply", client.reply())
        assert.strictEqual(reply.status, status)
        assert.match(reply.headers["connection"]!, /\bclose$/i)
        assert.strictEqual(await arrives("The end", client.end()), "")
        await destroyed(client)
        assert.strictEqual(app.open(), 0)
      }
    )

    it.each(["Content-Length: 5", "Transfer-Encoding: chunked"])(
      "whose body never comes with %s is ended as other requests are",
      async (framing) => {
        for (const path of ["/json", "/echo"]) {
          const client = await app.connect()
          client.send(
            head("POST", path, "Content-Type: application/json", framing, ...offer("websocket"))
          )
          const reply = await arrives("The reply", client.reply())
          assert.strictEqual(reply.status, path === "/json" ? 408 : 405)
          assert.strictEqual(await arrives("The end", client.end()), "")
          client.destroy()
        }
      }
    )

    const connect = "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"

    it.each([
      ["an upgrade", handshake("/echo")],
      ["a CONNECT", connect]
    ])("has a connection whose requests before %s end with it", async (_, behind) => {
      const client = await app.connect()
      client.send(head("GET", "/raw/waiting") + head("GET", "/raw") + behind)
      await until("The request", () => app.open() > 0)
      client.destroy()
      await until("The end of the exchanges", () => app.open() === 0)
    })

    it.each([
      ["an upgrade", handshake("/raw"), 200],
      ["a CONNECT", connect, 501]
    ])("before %s a long reply is sent to its end", async (_, behind, status) => {
      const client = await app.connect()
      client.send(head("GET", "/raw/long") + behind)
      const { body } = await arrives("The reply", client.reply())
      assert.strictEqual(body.length, long)
      assert.strictEqual((await arrives("The last reply", client.reply())).status, status)
      client.destroy()
    })

    it("counts in server.maxConnections, and is refused above it", async () => {
      const clients = [await upgraded("/silent"), await upgraded("/silent"), await app.connect()]
      const refused = await app.connect()
      refused.send(handshake("/silent"))
      const { body, headers, status } = await arrives("The refusal", refused.reply())
      assert.deepStrictEqual([status, JSON.parse(body).code], [503, "SERVICE_UNAVAILABLE"])
      assert.match(headers["connection"]!, /^close$/i)
      assert.strictEqual(await arrives("The end", refused.end()), "")
      assert.strictEqual(app.open(), 2)
      // A client that goes on sending is destroyed when this time is over.
      vi.spyOn(performance, "now").mockReturnValue(performance.now() + maxMillis + 1)
      await destroyed(refused)
      for (const client of clients) client.destroy()
      await until("The end of the exchanges", () => app.open() === 0)
    })

    it("does not let a peer that reads nothing hold what its handler writes", async () => {
      const client = await app.connect()
      client.socket.pause()
      client.send(handshake("/flood"))
      await until("The first write", () => written > 0)
      await until("The end of the exchange", () => app.open() === 0)
      // What the kernel holds for a connection, and one piece: without a bound it is thousands.
      assert.isBelow(written * 65_536, 32_000_000)
      client.destroy()
    })

    it.each([
      ["empty", Buffer.concat(Array<Buffer>(10_000).fill(frame("")))],
      ["large", Buffer.concat(Array<Buffer>(10).fill(frame("x".repeat(50_000))))]
    ])("stops reading %s messages while its handler does not read", async (_, messages) => {
      const client = await upgraded("/silent")
      const { socket } = client
      const sent = () => socket.bytesWritten - socket.writableLength
      let wanted = 0
      while (wanted < 64_000_000) {
        client.send(messages)
        wanted += messages.length
      }
      for (let before = -1; before !== sent();) {
        before = sent()
        await sleep(300)
      }
      const held = sent()
      assert.isBelow(held, wanted)
      assert.strictEqual(heard, 0)
      Effect.runSync(Deferred.succeed(door, undefined))
      await until("The messages", () => heard > 0 && sent() > held)
      client.destroy()
    })

    it("has messages of at most the route's BodyLimit", async () => {
      const client = await upgraded("/echo")
      client.send(frame("x".repeat(100)))
      await arrives(
        "The echo",
        client.until((text) => text.endsWith("x".repeat(100)))
      )
      client.send(frame("x".repeat(101)))
      // A closing frame: 1009, the message is too big.
      assert.include(await arrives("The end", client.end()), "\x88\x02\x03\xf1")
      await until("The end of the exchange", () => app.open() === 0)
      client.destroy()
    })

    it.each([
      ["nothing", Buffer.alloc(0)],
      ["a part of a frame", Buffer.from([0x81, 0xd6, 1, 2])],
      ["other frames", frame("x")]
    ])("closes five seconds after its closing frame if its peer sends %s", async (_, bytes) => {
      const client = await upgraded("/finite")
      client.send(bytes)
      vi.useFakeTimers({ toFake: ["setTimeout"] })
      try {
        Effect.runSync(Deferred.succeed(door, undefined))
        await arrives(
          "The closing frame",
          client.until((text) => text.includes("\x88\x02"))
        )
        vi.advanceTimersByTime(4999)
        client.send(bytes)
        await sleep(50)
        assert.isFalse(client.socket.readableEnded || client.socket.destroyed)
        vi.advanceTimersByTime(1)
      } finally {
        vi.useRealTimers()
      }
      await arrives("The end", client.end())
      client.destroy()
    })

    it("ends with its app, and its handler is interrupted", async () => {
      const clients = [await upgraded("/silent"), await upgraded("/silent")]
      await arrives("The end of the app", app.stop())
      assert.strictEqual(interrupted, 2)
      for (const client of clients) {
        // A closing frame: 1001, the server goes away.
        const last = (await arrives("The end", client.end())).slice(-4)
        assert.strictEqual(last, "\x88\x02\x03\xe9")
      }
    })
  })
}
