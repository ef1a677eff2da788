// What a client and a supervisor see of an app on Bun and on Deno.
import * as Net from "node:net"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { available, type Running, send, start } from "./process.ts"

const head = (line: string, ...fields: ReadonlyArray<string>) =>
  [line, "Host: a", ...fields, "", ""].join("^")

const last = "Connection: close"

/** How much of what came on a connection is kept, in bytes. */
const maxReceived = 2 ** 24

/** A connection, and what came on it. */
const connect = (port: number) => {
  const socket = Net.connect(port, "127.0.0.1")
  let received = ""
  const waiting = new Set<() => void>()
  socket.on("error", () => {})
  socket.on("data", (chunk) => {
    // A stream without an end may send more than a string can hold.
    if (received.length < maxReceived) received += chunk.toString("latin1")
    for (const look of waiting) look()
  })
  const came = (text: RegExp) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!text.test(received)) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
    })
  return {
    came,
    closed: new Promise<void>((resolve) => socket.on("close", () => resolve())),
    received: () => received,
    socket,
    write: (text: string) => socket.write(text.replaceAll("^", "\r\n"))
  }
}

const opened = (url: string) =>
  new Promise<WebSocket>((resolve, reject) => {
    const socket = new WebSocket(url)
    socket.binaryType = "arraybuffer"
    socket.addEventListener("open", () => resolve(socket))
    socket.addEventListener("error", () => reject(new Error(`${url} was not upgraded`)))
  })

const message = (socket: WebSocket) =>
  new Promise<unknown>((resolve) => {
    const look = ({ data }: { readonly data: unknown }) =>
      resolve(data instanceof ArrayBuffer ? [...new Uint8Array(data)] : data)
    socket.addEventListener("message", look, { once: true })
  })

const json = { "content-type": "application/json" }

describe.each(available)("a request on %s", (name) => {
  let app: Running
  beforeAll(async () => {
    app = await start(name, {
      FLANGE__SERVER__REQUEST_TIMEOUT: "1 second",
      FLANGE__SERVER__TRUSTED_PROXIES: "127.0.0.0/8"
    })
  })
  afterAll(() => app.child.kill("SIGKILL"))

  it("has its body decoded, and its reply the headers of every reply", async () => {
    const reply = await fetch(`${app.url}/echo`, {
      body: '{"name":"Ada"}',
      headers: { ...json, "x-request-id": "mine" },
      method: "POST"
    })
    assert.deepStrictEqual(await reply.json(), { name: "Ada" })
    assert.strictEqual(reply.headers.get("x-request-id"), "mine")
    assert.strictEqual(reply.headers.get("content-type"), "application/json")
    assert.strictEqual(reply.headers.get("content-length"), "14")
    assert.match(reply.headers.get("date")!, / GMT$/)
  })

  it("with a body that is not valid gets 400 with each problem", async () => {
    const reply = await fetch(`${app.url}/echo`, { body: "{}", headers: json, method: "POST" })
    assert.strictEqual(reply.status, 400)
    assert.strictEqual(((await reply.json()) as { code: string }).code, "VALIDATION_FAILED")
  })

  it("without a route gets 404, with another method 405 and Allow, HEAD the head of GET", async () => {
    assert.strictEqual((await fetch(`${app.url}/nowhere`)).status, 404)
    const wrong = await fetch(`${app.url}/plain`, { method: "DELETE" })
    assert.strictEqual(wrong.status, 405)
    assert.include(wrong.headers.get("allow"), "GET")
    const reply = await send(app.port, head("HEAD /plain HTTP/1.1", last))
    assert.match(reply, /^HTTP\/1.1 200 /)
    assert.match(reply, /^content-length: 7\r$/im)
    assert.match(reply, /^date: .* GMT\r$/im)
    assert.match(reply, /\r\n\r\n$/)
    assert.strictEqual(reply.match(/^(?:content-length|date):/gim)?.length, 2)
  })

  it.each(["stream", "text"])("gets one Date, that of its handler, with a %s", async (body) => {
    for (const method of ["GET", "HEAD"]) {
      const reply = await send(app.port, head(`${method} /dated/${body} HTTP/1.1`, last))
      assert.deepStrictEqual(
        reply.match(/^date: .*(?=\r$)/gim)?.map((line) => line.slice(6)),
        ["Thu, 01 Jan 2026 00:00:00 GMT"],
        method
      )
    }
  })

  it.each([
    ["with a length", "Content-Length: 2000^^"],
    ["in chunks", `Transfer-Encoding: chunked^^7D0^${"x".repeat(2000)}^0^^`]
  ])(
    "whose body %s is above the limit of its route gets 413 and loses its connection",
    async (_, rest) => {
      const client = connect(app.port)
      client.write(`POST /echo HTTP/1.1^Host: a^Content-Type: application/json^${rest}`)
      await client.came(/PAYLOAD_TOO_LARGE/)
      assert.match(client.received(), /^HTTP\/1.1 413 /)
      assert.match(client.received(), /^connection: close\r$/im)
      client.socket.destroy()
    }
  )

  it("whose body does not arrive in server.requestTimeout gets 408", async () => {
    const client = connect(app.port)
    client.write("POST /echo HTTP/1.1^Host: a^Content-Type: application/json^Content-Length: 9^^{")
    await client.came(/REQUEST_TIMEOUT/)
    assert.match(client.received(), /^HTTP\/1.1 408 /)
    client.socket.destroy()
  })

  it("after one on the same connection is served", async () => {
    const client = connect(app.port)
    client.write(head("GET /slow/30 HTTP/1.1"))
    await client.came(/"slow"/)
    client.write(head("GET /plain HTTP/1.1", last))
    await client.closed
    assert.match(client.received(), /"plain"$/)
  })

  it("has the address of its client, with trusted proxies, and its cookies in one line", async () => {
    const reply = await send(
      app.port,
      head(
        "GET /peer?a=%41 HTTP/1.1",
        "X-Forwarded-For: 192.0.2.9",
        "Cookie: a=1",
        "Cookie: b=2",
        last
      )
    )
    assert.deepStrictEqual(JSON.parse(reply.slice(reply.indexOf("{"))), {
      address: "127.0.0.1",
      cookie: "a=1; b=2",
      method: "GET",
      url: "/peer?a=%41"
    })
    await app.said(/192\.0\.2\.9/)
  })

  it("gets each cookie in a line of its own", async () => {
    const reply = await fetch(`${app.url}/cookies`)
    assert.deepStrictEqual(
      reply.headers.getSetCookie().map((line) => line.slice(0, 3)),
      ["a=1", "b=2"]
    )
  })

  it("whose reply has a header with a line break gets 500", async () => {
    const reply = await fetch(`${app.url}/bad`)
    assert.strictEqual(reply.status, 500)
    assert.strictEqual(reply.headers.get("b"), null)
    await reply.text()
  })

  it("whose client disconnects has its handler interrupted", async () => {
    const client = connect(app.port)
    client.write(head("GET /slow/600000 HTTP/1.1"))
    await app.said(/^slow 600000$/m)
    client.socket.destroy()
    await app.said(/^interrupted$/m)
  })

  it("gets a stream piece by piece", async () => {
    assert.strictEqual(await (await fetch(`${app.url}/ticks`)).text(), "0;1;2;")
  })

  it("whose client reads nothing of a stream holds it, and ends it by disconnecting", async () => {
    const socket = Net.connect(app.port, "127.0.0.1")
    socket.write(head("GET /endless HTTP/1.1").replaceAll("^", "\r\n"))
    socket.pause()
    // Other requests are served meanwhile: a stream that does not wait would starve them.
    for (let i = 0; i < 50; i++) await (await fetch(`${app.url}/plain`)).text()
    socket.destroy()
    const [, pieces] = await app.said(/^endless ended (\d+)$/m)
    // Buffers of the kernel and of the runtime, in pieces of 64 KiB.
    assert.isBelow(Number(pieces), 500)
  })

  it("has its body as a stream", async () => {
    const body = new Uint8Array(3_000_000)
    const reply = await fetch(`${app.url}/upload`, { body, method: "POST" })
    assert.deepStrictEqual(await reply.json(), { length: body.length })
  })

  it("upgrades to a WebSocket, which carries text and bytes", async () => {
    const socket = await opened(`${app.url.replace("http", "ws")}/socket`)
    const text = message(socket)
    socket.send("hello")
    assert.strictEqual(await text, "hello")
    const bytes = message(socket)
    socket.send(new Uint8Array([1, 2, 3]))
    assert.deepStrictEqual(await bytes, [1, 2, 3])
    socket.close()
    await app.said(/^socket (?:closed|interrupted)$/m)
  })

  it("that is upgraded has no time limit any more", async () => {
    const socket = await opened(`${app.url.replace("http", "ws")}/timed`)
    const text = message(socket)
    // The limit and the grace of an interrupted handler are shorter.
    await new Promise((resolve) => setTimeout(resolve, 500))
    socket.send("hello")
    assert.strictEqual(await text, "hello")
    socket.close()
  })

  it("on a WebSocket whose messages are not read loses its connection once they are many", async () => {
    const socket = await opened(`${app.url.replace("http", "ws")}/deaf`)
    const closed = new Promise((resolve) => socket.addEventListener("close", resolve))
    for (let i = 0; i < 40; i++) socket.send(new Uint8Array(65_536))
    await closed
    await app.said(/^deaf interrupted$/m)
    await app.said(/^deaf interrupted$/m)
  })

  it("on a WebSocket loses its connection for many messages also before the handler reads", async () => {
    const socket = await opened(`${app.url.replace("http", "ws")}/asleep`)
    const closed = new Promise((resolve) => socket.addEventListener("close", resolve))
    for (let i = 0; i < 40; i++) socket.send(new Uint8Array(65_536))
    await closed
    await app.said(/^asleep interrupted$/m)
  })

  it("on a WebSocket keeps the messages that come before the handler reads", async () => {
    const socket = await opened(`${app.url.replace("http", "ws")}/late`)
    const answer = message(socket)
    socket.send("early")
    assert.strictEqual(await answer, "early")
    socket.close()
  })

  it("without a handshake on a route that upgrades gets no 101", async () => {
    assert.isAtLeast((await fetch(`${app.url}/socket`)).status, 400)
  })

  it("gets the OpenAPI document and the probes", async () => {
    assert.strictEqual((await fetch(`${app.url}/openapi.json`)).status, 200)
    assert.strictEqual((await fetch(`${app.url}/readyz`)).status, 200)
  })
})

describe.each(available)("an app on %s", (name) => {
  it("answers and drains with the proxied listener too", async () => {
    const app = await start(name, { FLANGE__SERVER__LISTENER: "proxied" })
    assert.strictEqual(await (await fetch(`${app.url}/plain`)).json(), "plain")
    app.child.kill("SIGTERM")
    assert.strictEqual(await app.exit, 0)
  })

  it("keeps a connection open beyond server.keepAlive while a request waits or a stream pauses", async () => {
    const app = await start(name, { FLANGE__SERVER__KEEP_ALIVE: "1 second" })
    try {
      // Bun looks for idle connections every four seconds.
      const [slow, gap] = await Promise.all([
        fetch(`${app.url}/slow/9000`).then((reply) => reply.json()),
        fetch(`${app.url}/gap/9000`).then((reply) => reply.text())
      ])
      assert.strictEqual(slow, "slow")
      assert.strictEqual(gap, "before after")
    } finally {
      app.child.kill("SIGKILL")
    }
  })

  it.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "finishes the request in flight after %s, accepts none after it, and exits with 0",
    async (signal) => {
      const app = await start(name)
      const reply = fetch(`${app.url}/slow/1500`)
      await app.said(/^slow 1500$/m)
      const idle = connect(app.port)
      idle.write(head("GET /plain HTTP/1.1"))
      await idle.came(/"plain"/)
      app.child.kill(signal)
      assert.strictEqual(await (await reply).json(), "slow")
      assert.strictEqual(await app.exit, 0)
      await idle.closed
      assert.match(app.output(), /stopped/)
      assert.strictEqual(await send(app.port, head("GET /plain HTTP/1.1", last)), "")
    }
  )

  it("interrupts the requests and streams that outlast the drain, and exits with 0", async () => {
    const app = await start(name, { FLANGE__APP__DRAIN_TIMEOUT: "300 millis" })
    const reply = fetch(`${app.url}/slow/600000`)
    await app.said(/^slow 600000$/m)
    const stream = connect(app.port)
    stream.write(head("GET /endless HTTP/1.1"))
    await stream.came(/200 OK/)
    const socket = await opened(`${app.url.replace("http", "ws")}/socket`)
    app.child.kill("SIGTERM")
    assert.strictEqual((await reply).status, 503)
    assert.strictEqual(await app.exit, 0)
    socket.close()
    assert.match(app.output(), /^interrupted$/m)
  })

  it("whose port another one has fails with BindError and exits with 1", async () => {
    const first = await start(name)
    try {
      const problem = await start(name, { PORT: String(first.port) }).then(
        () => "it started",
        (error: Error) => error.message
      )
      assert.match(problem, /exited with 1/)
      assert.match(problem, /BindError: .*something else listens there/)
    } finally {
      first.child.kill("SIGKILL")
    }
  })
})

describe.runIf(available.includes("bun"))("an app on Bun", () => {
  it('with server.listener "node" is refused when it is configured', async () => {
    const problem = await start("bun", { FLANGE__SERVER__LISTENER: "node" }).then(
      () => "it started",
      (error: Error) => error.message
    )
    assert.match(problem, /exited with 1/)
    assert.match(problem, /server\.listener[^]*auto or proxied on Bun/)
  })
})
