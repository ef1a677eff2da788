// Bodies that never come to their end: issue 5, connections and handlers that stayed forever.
import * as Net from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { socketListener } from "../../../matrix/combination.ts"
import { type Running, start } from "../../process.ts"

let running: Running
beforeAll(async () => {
  running = await start("test/Server/fixtures/upload.ts", {
    FLANGE__SERVER__HEADERS_TIMEOUT: "1 second",
    FLANGE__SERVER__REQUEST_TIMEOUT: "1 second"
  })
})
afterAll(() => running.child.kill("SIGKILL"))

/** Sends bytes as they are, and gives everything that comes until the server closes. */
const send = (text: string, end = false): Promise<string> =>
  new Promise((resolve) => {
    const port = Number(new URL(running.url).port)
    const socket = Net.connect({ allowHalfOpen: true, host: "127.0.0.1", port })
    let received = ""
    socket.on("data", (chunk) => (received += chunk))
    socket.on("end", () => socket.end())
    // A connection that is cut may be reset.
    socket.on("error", () => {})
    socket.on("close", () => resolve(received))
    if (end) socket.end(text)
    else socket.write(text)
  })

/** Waits until the slots have seen the end of the request. */
const ended = async (target: string): Promise<string> => {
  for (;;) {
    const found = new RegExp(`ended ${target} (\\d+)`).exec(running.output())
    if (found !== null) return found[1]!
    await sleep(20)
  }
}

const post = (path: string, rest: string) =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: ${path.startsWith("/json") ? "application/json" : "application/octet-stream"}\r\n${rest}`

const statuses = (reply: string) => [...reply.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, s]) => s)

describe.each(["/json", "/bytes"])("a body of %s that never comes to its end", (path) => {
  it("ends its handler and its connection when the client leaves", async () => {
    const target = `${path}?left`
    assert.strictEqual(await send(post(target, "Content-Length: 10\r\n\r\n{"), true), "")
    assert.strictEqual(await ended(target.replace("?", "\\?")), "499")
  })

  it("is answered with 408, and ends its handler, after server.requestTimeout", async () => {
    const target = `${path}?silent`
    const reply = await send(post(target, "X-Request-Id: mine\r\nContent-Length: 10\r\n\r\n{"))
    assert.deepStrictEqual(statuses(reply), ["408"])
    assert.match(reply, /^x-request-id: mine$/im)
    assert.strictEqual(JSON.parse(reply.split("\r\n\r\n")[1]!).instance, path)
    assert.strictEqual(await ended(target.replace("?", "\\?")), "499")
  })

  it("is answered with 400, and ends its handler, where a chunk is malformed", async () => {
    const target = `${path}?chunk`
    const reply = await send(post(target, "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\nno\r\n"))
    assert.deepStrictEqual(statuses(reply), ["400"])
    // The parser of `node:http` ends the request, and the listener answers beside the exchange.
    const seen = socketListener === "node" ? "499" : "400"
    assert.strictEqual(await ended(target.replace("?", "\\?")), seen)
  })

  it("is answered after the replies to the requests before it", async () => {
    const first = "GET /slow/300 HTTP/1.1\r\nHost: a\r\n\r\n"
    const broken = post(`${path}?after`, "Transfer-Encoding: chunked\r\n\r\nno\r\n")
    assert.deepStrictEqual(statuses(await send(first + broken)), ["200", "400"])
  })
})

describe("a body that nobody wants", () => {
  it("gets no second reply when it never comes to its end", async () => {
    const reply = await send("GET /slow/0 HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{")
    assert.deepStrictEqual(statuses(reply), ["200"])
  })
})
