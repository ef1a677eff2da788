/** Channels over real connections: both directions, refusals, limits, hostile frames, and the end. */
import * as Tls from "node:tls"
import { deflateRawSync } from "node:zlib"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Realtime from "flange/Realtime"
import { ChannelClient } from "flange/Realtime/Contract"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { boot, type Counted } from "../../Server/counted.ts"
import { Client } from "../../Server/Listener/Proxied/rig.ts"
import { arrives, guardProcess, until } from "../../Server/userCode/server.ts"
import {
  answered,
  Chat,
  codeIn,
  frame,
  handshake,
  plain,
  plugin,
  say,
  Seen,
  Spoken
} from "./WebSocketRig.ts"

guardProcess()

for (const name of ["node", "proxied"] as const) {
  describe(`a channel on ${name}`, () => {
    let app: Counted
    let seen: Seen
    beforeEach(async () => {
      seen = new Seen()
      app = await boot(name, [Realtime.webSockets, plugin(seen)], { writeTimeout: "10 seconds" })
    })
    afterEach(() => arrives("The end of the app", app.stop()))

    /** A client whose connection is upgraded. */
    const upgraded = async (path: string, ...lines: ReadonlyArray<string>) => {
      const client = await app.connect()
      client.send(handshake(path, ...lines))
      await arrives(
        "The upgrade",
        client.until((text) => /^HTTP\/1\.1 101 .*\r\n\r\n/s.test(text))
      )
      return client
    }

    const refused = async (head: string) => {
      const client = await app.connect()
      client.send(head)
      const { body, status } = await arrives("The reply", client.reply())
      client.destroy()
      return [status, JSON.parse(body).code]
    }

    it("answers the handshake, ends its exchange there, and goes on", async () => {
      const client = await upgraded("/chat/7?as=me:")
      await until("The end of the exchange", () => app.open() === 0)
      assert.deepStrictEqual(app.told, ["/chat/7?as=me: 101"])
      assert.strictEqual(seen.open(), 1)
      client.send(Buffer.concat([say("a"), say("b")]))
      await arrives(
        "The messages",
        client.until((text) => text.includes("me:a") && text.includes("me:b"))
      )
      client.send(frame(Buffer.from([0x03, 0xe8]), { first: 0x88 }))
      assert.strictEqual(codeIn(await arrives("The end", client.end())), 1000)
      await until("The end", () => seen.open() === 0)
    })

    it.each([
      ["an ordinary request", plain("/chat/7"), [426, "UPGRADE_REQUIRED"]],
      ["a wrong parameter", handshake("/chat/x"), [400, "VALIDATION_FAILED"]],
      ["a failure of the handler", handshake("/chat/404"), [404, "ROOM_NOT_FOUND"]],
      [
        "a page of another origin",
        handshake("/chat/7", "Origin: https://evil.example"),
        [403, "ORIGIN_REFUSED"]
      ],
      ["an opaque origin", handshake("/chat/7", "Origin: null"), [403, "ORIGIN_REFUSED"]],
      [
        "unknown subprotocols",
        handshake("/spoken", "Sec-WebSocket-Protocol: v3, V2"),
        [400, "SUBPROTOCOL_REFUSED"]
      ]
    ])("refuses %s with a problem document", async (_, head, expected) => {
      assert.deepStrictEqual(await refused(head), expected)
      assert.strictEqual(seen.open(), 0)
    })

    it.each([
      ["its own origin", "/chat/7", "Origin: http://a", undefined],
      ["a listed origin", "/chat/7", "Origin: https://friend.example", undefined],
      ["the subprotocol it prefers", "/spoken", "Sec-WebSocket-Protocol: v1, v2", "v2"]
    ])("accepts %s", async (_, path, line, protocol) => {
      const client = await app.connect()
      client.send(handshake(path, line))
      const head = await arrives(
        "The upgrade",
        client.until((text) => text.endsWith("\r\n\r\n"))
      )
      assert.match(head, /^HTTP\/1\.1 101 /)
      assert.strictEqual(/^sec-websocket-protocol: (.*)$/im.exec(head)?.[1], protocol)
      client.destroy()
    })

    it.each([
      ["an unmasked frame", "/chat/7", frame("{}", { isMasked: false }), 1002],
      ["a reserved bit", "/chat/7", frame("{}", { first: 0xc1 }), 1002],
      ["an unknown opcode", "/chat/7", frame("{}", { first: 0x83 }), 1002],
      ["a continuation of nothing", "/chat/7", frame("{}", { first: 0x80 }), 1002],
      ["a fragmented ping", "/chat/7", frame("", { first: 0x09 }), 1002],
      ["a ping that is too long", "/chat/7", frame("x".repeat(126), { first: 0x89 }), 1002],
      ["invalid UTF-8", "/chat/7", frame(Buffer.from([0xff, 0xfe])), 1007],
      ["bytes", "/chat/7", frame("{}", { first: 0x82 }), 1003],
      ["no JSON", "/chat/7", frame("{"), 1007],
      ["a value that does not fit", "/chat/7", frame('{"text":1}'), 1007],
      ["a prototype", "/chat/7", frame('{"text":"","__proto__":{}}'), 1007],
      ["a prototype in escapes", "/chat/7", frame('{"text":"","__pr\\u006fto__":{}}'), 1007],
      ["deeply nested JSON", "/deflated/7", frame("[".repeat(60_000)), 1007],
      ["a message that is too long", "/chat/7", say("x".repeat(2000)), 1009],
      [
        "a long message in fragments",
        "/chat/7",
        Buffer.concat(
          Array.from({ length: 30 }, (_, i) => frame("x".repeat(100), { first: i === 0 ? 1 : 0 }))
        ),
        1009
      ],
      [
        "thousands of empty fragments",
        "/chat/7",
        Buffer.concat(
          Array.from({ length: 5000 }, (_, i) => frame("", { first: i === 0 ? 1 : 0 }))
        ),
        1008
      ],
      ["too many messages", "/chat/7", Buffer.concat(Array<Buffer>(500).fill(say("x"))), 1008],
      [
        "too many pings",
        "/chat/7",
        Buffer.concat(Array<Buffer>(500).fill(frame("", { first: 0x89 }))),
        1008
      ]
    ])("closes the connection of a client that sends %s", async (_, path, bytes, code) => {
      const client = await upgraded(path)
      client.send(bytes)
      assert.strictEqual(codeIn(await arrives("The end", answered(client))), code)
      client.destroy()
      // The server serves others.
      const other = await upgraded("/chat/7")
      other.send(say("still here"))
      await arrives(
        "The message",
        other.until((text) => text.includes("still here"))
      )
      other.destroy()
    })

    it("names the problem of a message in the closing frame", async () => {
      const client = await upgraded("/chat/7")
      client.send(frame('{"text":1}'))
      assert.match(await arrives("The end", answered(client)), /\/text: /)
    })

    it("can answer a message that does not fit", async () => {
      const client = await upgraded("/answering/7")
      client.send(frame('{"text":1}'))
      const text = await arrives(
        "The answer",
        client.until((text) => text.includes("/text: "))
      )
      assert.isUndefined(codeIn(text))
      client.destroy()
    })

    it("closes the connection with 1011 if its answer to such a message does not fit either", async () => {
      const client = await upgraded("/shortly")
      client.send(frame('{"text":1}'))
      assert.strictEqual(codeIn(await arrives("The end", answered(client))), 1011)
      client.destroy()
    })

    it("refuses a message that decompresses to more than its limit", async () => {
      const client = await upgraded(
        "/deflated/7",
        "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover"
      )
      const bomb = deflateRawSync(Buffer.alloc(50_000_000), { finishFlush: 2 })
      client.send(frame(bomb.subarray(0, -4), { first: 0xc1 }))
      assert.strictEqual(codeIn(await arrives("The end", answered(client))), 1009)
    })

    it("does not compress without the option", async () => {
      const client = await app.connect()
      client.send(handshake("/chat/7", "Sec-WebSocket-Extensions: permessage-deflate"))
      const head = await arrives(
        "The upgrade",
        client.until((text) => text.endsWith("\r\n\r\n"))
      )
      assert.notInclude(head, "permessage-deflate")
      client.destroy()
    })

    it("closes a connection whose handler dies with 1011, and tells nothing of the inside", async () => {
      const client = await upgraded("/dies/7")
      client.send(say("x"))
      const text = await arrives("The end", answered(client))
      assert.strictEqual(codeIn(text), 1011)
      assert.notInclude(text, "secret")
    })

    it("closes a connection whose handler ends with 1000", async () => {
      const client = await upgraded("/once/7")
      client.send(say("x"))
      assert.strictEqual(codeIn(await arrives("The end", answered(client))), 1000)
    })

    it("forgets a client that does not answer the closing frame", async () => {
      const client = await upgraded("/chat/7")
      client.send(frame("{"))
      await arrives(
        "The closing frame",
        client.until((text) => codeIn(text) === 1007)
      )
      await until("The end", () => seen.open() === 0)
      client.destroy()
    })

    it("lets a client wait whose messages wait for the handler, and loses none", async () => {
      const client = await upgraded("/waits/7")
      const count = 2000
      client.send(Buffer.concat(Array<Buffer>(count).fill(say("x"))))
      Deferred.doneUnsafe(seen.door, Effect.void)
      await until("The messages", () => seen.heard === count)
      client.destroy()
    })

    it("closes the connection of a client that does not read, and buffers little for it", async () => {
      const client = await app.connect()
      client.socket.pause()
      client.send(handshake("/flood/7"))
      await until("The first messages", () => seen.offered > 0)
      let before = -1
      await until("The standstill", () => {
        const isStill = before === seen.offered
        before = seen.offered
        return isStill
      })
      // What the kernel holds for a connection.
      assert.isBelow(seen.offered * 50_000, 32_000_000)
      client.destroy()
    })

    it("goes on after a message that is longer than what may wait for the client", async () => {
      const client = await app.connect()
      client.socket.pause()
      client.send(handshake("/big/7"))
      await until("The long message", () => seen.offered === 1)
      client.socket.removeAllListeners("data").resume()
      await until("The next message", () => seen.offered === 2)
      client.destroy()
    })

    it("is gone after server.writeTimeout if its client reads nothing", async () => {
      await app.stop()
      app = await boot(name, [Realtime.webSockets, plugin(seen)], { writeTimeout: "300 millis" })
      const client = await app.connect()
      client.socket.pause()
      client.send(handshake("/big/7"))
      await until("The long message", () => seen.offered === 1)
      await until("The end", () => seen.big() === 0)
      client.destroy()
    })

    it("pings, and closes the connection of a client that does not answer with 1001", async () => {
      const client = await upgraded("/idle/7")
      const text = await arrives("The end", answered(client))
      assert.include(text, "\x89\x00")
      assert.strictEqual(codeIn(text), 1001)
    })

    it("is patient with a client whose messages wait for the handler", async () => {
      const client = await upgraded("/busy/7")
      client.send(Buffer.concat([...Array<Buffer>(21).fill(say("x")), say("last")]))
      const text = await arrives(
        "The last message",
        client.until((text) => text.includes("last") || text.includes("\x88"))
      )
      assert.include(text, "last")
      client.destroy()
    })

    it("forgets a client that is gone while its messages wait for a handler that takes none", async () => {
      const client = await upgraded("/idle/7")
      await until("The connection", () => seen.idle() === 1)
      client.send(Buffer.concat(Array<Buffer>(6).fill(say("x"))))
      client.destroy()
      await until("Its end", () => seen.idle() === 0)
    })

    it("sends a broadcast to all its connections", async () => {
      const clients = [await upgraded("/chat/1"), await upgraded("/chat/2")]
      assert.strictEqual(seen.broadcast("to all"), 2)
      for (const client of clients) {
        await arrives(
          "The message",
          client.until((text) => text.includes("to all"))
        )
        client.destroy()
      }
    })

    it("ends with its app: 1001, and handlers are interrupted", async () => {
      const clients = [await upgraded("/chat/7"), await upgraded("/waits/7")]
      const stopped = app.stop()
      for (const client of clients) {
        assert.strictEqual(codeIn(await arrives("The end", answered(client))), 1001)
        client.destroy()
      }
      await arrives("The end of the app", stopped)
      assert.strictEqual(seen.interrupted, 1)
    })

    it("has a typed client", async () => {
      const program = Effect.gen(function* () {
        const client = yield* ChannelClient.connect(Chat, {
          params: { room: 7 },
          query: { as: "me:" },
          url: app.url
        })
        yield* client.send({ text: "hi" })
        return yield* Stream.runHead(client.messages)
      })
      const message = await Effect.runPromise(Effect.scoped(program))
      assert.deepStrictEqual(Option.getOrUndefined(message), { room: 7, text: "me:hi" })
      await until("The end", () => seen.open() === 0)
      const other = ChannelClient.connect(Chat, {
        params: { room: 404 },
        query: {},
        url: app.url
      })
      const error = await Effect.runPromise(Effect.flip(Effect.scoped(other)))
      assert.strictEqual(error._tag, "ChannelNotOpened")
      const spoken = ChannelClient.connect(Spoken, { url: app.url })
      await Effect.runPromise(Effect.scoped(spoken))
    })
  })
}

describe("a channel of a server that speaks HTTP/2 too", () => {
  it.each([
    ["over TLS", { tls: { selfSigned: ["localhost"] } }],
    ["without TLS", { h2c: true }]
  ])("answers over HTTP/1.1 %s, and is gone when its client is", async (_, server) => {
    const seen = new Seen()
    const app = await boot("node", [Realtime.webSockets, plugin(seen)], server)
    const { hostname, port, protocol } = new URL(app.url)
    const client =
      protocol === "https:"
        ? new Client(
            Tls.connect({
              ALPNProtocols: ["http/1.1"],
              host: hostname,
              port: Number(port),
              rejectUnauthorized: false
            })
          )
        : await app.connect()
    client.send(handshake("/chat/7"))
    await arrives(
      "The upgrade",
      client.until((text) => text.includes("101"))
    )
    client.send(say("over it"))
    await arrives(
      "The message",
      client.until((text) => text.includes("over it"))
    )
    client.destroy()
    await until("The end", () => seen.open() === 0)
    await arrives("The end of the app", app.stop())
  })
})
