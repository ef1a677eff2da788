/** Mounted listeners and the connection of their client: its end, its pace, upgrades, the drain. */
import type { IncomingMessage, ServerResponse } from "node:http"
import * as Effect from "effect/Effect"
import { Mount, Plugin, Route } from "flange"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { boot, type Counted } from "./counted.ts"
import { arrives, guardProcess, until } from "./userCode/server.ts"

guardProcess()

const limit = 1_000_000

/** Requests that the listener has begun, with their replies. */
let begun: Array<readonly [request: IncomingMessage, response: ServerResponse]>

/** What happened to them. */
let events: Array<string>

/** How many bytes of an endless reply were written. */
let written: number

const listener = (request: IncomingMessage, response: ServerResponse) => {
  begun.push([request, response])
  request.on("aborted", () => events.push("aborted"))
  request.on("error", () => {})
  response.on("close", () => events.push(`close ${response.writableFinished}`))
  switch (request.url) {
    case "/echo":
      return request.pipe(response)
    case "/endless": {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384))) written += 16_384
      }
      response.on("drain", more)
      return more()
    }
    case "/length":
      return request.toArray().then((chunks) => response.end(String(Buffer.concat(chunks).length)))
    case "/refused":
      return response.writeHead(401).end("no")
    case "/upper":
      return request
        .setEncoding("utf8")
        .on("data", (text: string) => response.write(text.toUpperCase()))
        .on("end", () => response.end())
    case "/waiting":
      return
    default:
      return response.end(request.url)
  }
}

const MountPlugin = Plugin.make("test:mount", {
  routes: [Route.raw("all", Mount.layer("/*", Effect.succeed(listener)), { access: "public" })]
})

const head = (method: string, path: string, ...lines: ReadonlyArray<string>) =>
  [`${method} ${path} HTTP/1.1`, "Host: a", ...lines, "", ""].join("\r\n")

const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`

describe.each(["node", "proxied"] as const)("a listener mounted on %s", (name) => {
  let app: Counted
  beforeEach(async () => {
    begun = []
    events = []
    written = 0
    app = await boot(name, [MountPlugin], { bodyLimit: limit })
  })
  afterEach(() => arrives("The end of the app", app.stop()))

  const idle = () => until("The end of the exchanges", () => app.open() === 0)

  it("sends each piece of a reply while the body still comes", async () => {
    const client = await app.connect()
    client.send(head("POST", "/upper", "Transfer-Encoding: chunked") + chunk("ab"))
    await arrives(
      "AB",
      client.until((text) => text.includes("AB"))
    )
    client.send(chunk("cd"))
    await arrives(
      "CD",
      client.until((text) => text.includes("CD"))
    )
    client.send("0\r\n\r\n")
    assert.strictEqual((await arrives("The reply", client.reply())).body, "ABCD")
    client.send(head("GET", "/next"))
    assert.strictEqual((await arrives("The next reply", client.reply())).body, "/next")
    client.destroy()
    await idle()
  })

  it("is told that the client went away before the reply", async () => {
    const client = await app.connect()
    client.send(head("GET", "/waiting"))
    await until("The request", () => begun.length === 1)
    client.socket.resetAndDestroy()
    await idle()
    await until("The events", () => events.length === 2)
    assert.deepStrictEqual(events, ["aborted", "close false"])
    assert.deepStrictEqual(app.told, ["/waiting 499"])
  })

  it("is told that the client went away within its body", async () => {
    const client = await app.connect()
    client.send(head("POST", "/length", "Content-Length: 100") + "abc")
    await until("The request", () => begun.length === 1)
    client.socket.resetAndDestroy()
    await idle()
    await until("The events", () => events.length === 2)
    assert.deepStrictEqual(events, ["aborted", "close false"])
  })

  it("writes no faster than the client reads, and is told that it went away", async () => {
    const client = await app.connect()
    client.socket.pause()
    client.send(head("GET", "/endless"))
    let before = -1
    await until("A stalled reply", () => {
      const stalled = written > 0 && written === before
      before = written
      return stalled
    })
    client.destroy()
    await idle()
    await until("The events", () => events.length === 2)
    assert.deepStrictEqual(events, ["aborted", "close false"])
    assert.isBelow(written, 64 * 1024 * 1024)
  })

  it("reads no more of a body than the limit", async () => {
    const client = await app.connect()
    client.send(head("POST", "/length", `Content-Length: ${limit}`) + "x".repeat(limit))
    assert.strictEqual((await arrives("The reply", client.reply())).body, String(limit))
    client.send(
      head("POST", "/length", "Transfer-Encoding: chunked") + chunk("x".repeat(limit + 1))
    )
    const { body, status } = await arrives("The refusal", client.reply())
    assert.deepStrictEqual([status, JSON.parse(body).code], [413, "PAYLOAD_TOO_LARGE"])
    client.destroy()
    await idle()
  })

  it("replies without reading the body", async () => {
    const client = await app.connect()
    client.send(head("POST", "/refused", "Content-Length: 500000") + "x".repeat(500_000))
    const { body, status } = await arrives("The reply", client.reply())
    assert.deepStrictEqual([status, body], [401, "no"])
    client.destroy()
    await idle()
  })

  it("gets a body that waited for 100 Continue", async () => {
    const client = await app.connect()
    client.send(head("POST", "/echo", "Content-Length: 5", "Expect: 100-continue"))
    await arrives(
      "100 Continue",
      client.until((text) => text.startsWith("HTTP/1.1 100 "))
    )
    client.send("hello")
    assert.strictEqual((await arrives("100", client.reply())).status, 100)
    assert.strictEqual((await arrives("The reply", client.reply())).body, "hello")
    client.destroy()
    await idle()
  })

  it("serves pipelined requests in order", async () => {
    const client = await app.connect()
    client.send(["/1", "/2", "/3"].map((path) => head("GET", path)).join(""))
    for (const path of ["/1", "/2", "/3"]) {
      assert.strictEqual((await arrives("The reply", client.reply())).body, path)
    }
    client.destroy()
    await idle()
  })

  it("serves a request that offers HTTP/2, and refuses a WebSocket with 501", async () => {
    const upgrade = (protocol: string) => ["Connection: Upgrade", `Upgrade: ${protocol}`]
    const offering = await app.connect()
    offering.send(head("GET", "/h2c", ...upgrade("h2c")))
    assert.strictEqual((await arrives("The reply", offering.reply())).body, "/h2c")
    const asking = await app.connect()
    asking.send(head("GET", "/socket", ...upgrade("websocket")))
    const { body, status } = await arrives("The refusal", asking.reply())
    assert.deepStrictEqual([status, JSON.parse(body).code], [501, "NOT_IMPLEMENTED"])
    assert.strictEqual(begun.length, 1)
    offering.destroy()
    asking.destroy()
    await idle()
  })

  it("gets the answer of the drain if its reply takes longer", async () => {
    const client = await app.connect()
    client.send(head("GET", "/waiting"))
    await until("The request", () => begun.length === 1)
    const stopped = app.stop()
    const { headers, status } = await arrives("The reply", client.reply())
    assert.deepStrictEqual([status, headers["connection"]], [503, "close"])
    await arrives("The end", stopped)
    assert.deepStrictEqual(events, ["aborted", "close false"])
  })

  it("ends its replies before the drain is over", async () => {
    const client = await app.connect()
    client.send(head("GET", "/waiting"))
    await until("The request", () => begun.length === 1)
    const stopped = app.stop()
    begun[0]![1].end("done")
    assert.strictEqual((await arrives("The reply", client.reply())).body, "done")
    await arrives("The end", stopped)
    assert.deepStrictEqual(events, ["close true"])
  })
})
