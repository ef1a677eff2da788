import { spawn } from "node:child_process"
import { once } from "node:events"
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import * as Http from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { afterEach, assert, describe, it, vi } from "vitest"
import type { Wire } from "../../../../src/Server/Exchange/Wire.ts"
import { type Client, echo, type Given, replies, type Rig, start } from "./rig.ts"

let rig: Rig | undefined
const folders: Array<string> = []
afterEach(async () => {
  vi.useRealTimers()
  await rig?.close()
  rig = undefined
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

const serve = async (given: Given): Promise<Client> => {
  rig = await start(given)
  return rig.connect()
}

const bytes = (text: string) => text.replaceAll("^", "\r\n")
const get = bytes("GET / HTTP/1.1^Host: a^^")
const answer = (wire: Wire) => {
  wire.send(200, [], "ok")
  return true
}
const ready = { dispatch: answer }
const hanging = (onInterrupt: () => unknown) =>
  Effect.interruptible(Effect.onInterrupt(Effect.never, () => Effect.sync(onInterrupt)))

const until = async (isSo: () => boolean) => {
  while (!isSo()) await sleep(5)
}

/** Stops the clock of listeners that start after it. `vi.advanceTimersByTime` moves it. */
const stopClock = () => vi.useFakeTimers({ toFake: ["performance", "setInterval"] })

describe("timeouts", () => {
  it("end an idle connection without a word, and not before", async () => {
    stopClock()
    const client = await serve({ config: { keepAlive: "1 minute" }, ...ready })
    for (let i = 0; i < 2; i++) {
      vi.advanceTimersByTime(55_000)
      client.send(get)
      assert.strictEqual((await client.reply()).status, 200)
    }
    vi.advanceTimersByTime(65_000)
    assert.strictEqual(await client.end(), "")
  })

  it("end a silent connection without a word", async () => {
    const client = await serve({ config: { keepAlive: "40 millis" }, ...ready })
    assert.strictEqual(await client.end(), "")
  })

  it("answer 408 to a head that does not come whole", async () => {
    const client = await serve({ config: { headersTimeout: "40 millis" }, ...ready })
    client.send(get + bytes("GET / HTTP/1.1^Ho"))
    const [first, second] = replies(await client.end())
    assert.strictEqual(first!.status, 200)
    assert.strictEqual(second!.status, 408)
    assert.strictEqual(JSON.parse(second!.body).code, "REQUEST_TIMEOUT")
  })

  it("answer 408 to a head that comes one octet at a time", async () => {
    const client = await serve({ config: { headersTimeout: "60 millis" }, ...ready })
    const dripping = setInterval(() => client.send("X"), 10)
    client.send("GET /")
    const [reply] = replies(await client.end())
    clearInterval(dripping)
    assert.strictEqual(reply!.status, 408)
  })

  const incomplete = bytes("POST / HTTP/1.1^Host: a^Content-Length: 5^^hel")
  const reads: ReadonlyArray<readonly [string, object, Given]> = [
    [
      "bodyTimeout, body read whole",
      { bodyTimeout: "40 millis" },
      {
        dispatch: (wire) => {
          wire.body(10, () => wire.send(500, [], "not this one"))
          return true
        }
      }
    ],
    [
      "requestTimeout, body read whole",
      { requestTimeout: "40 millis" },
      {
        dispatch: (wire) => {
          wire.body(10, () => wire.send(500, [], "not this one"))
          return true
        }
      }
    ],
    [
      "bodyTimeout, opened request",
      { bodyTimeout: "40 millis" },
      {
        exchange: Effect.flatMap(HttpServerRequest, ({ text }) =>
          Effect.match(text, {
            onFailure: () => HttpServerResponse.empty({ status: 500 }),
            onSuccess: HttpServerResponse.text
          })
        )
      }
    ]
  ]
  it.each(reads)("answer 408 to a body that does not come whole: %s", async (_, config, given) => {
    const client = await serve({ config, ...given })
    client.send(incomplete)
    const all = replies(await client.end())
    assert.deepStrictEqual(
      all.map(({ status }) => status),
      [408]
    )
    assert.strictEqual(all[0]!.headers["connection"], "close")
  })

  it("do not cut a handler that takes long", async () => {
    stopClock()
    const wires: Array<Wire> = []
    const client = await serve({ dispatch: (wire) => wires.push(wire) > 0 })
    client.send(get)
    await until(() => wires.length > 0)
    // Longer than each of them.
    vi.advanceTimersByTime(3_600_000)
    wires[0]!.send(200, [], "late")
    assert.strictEqual((await client.reply()).body, "late")
  })
})

describe("a client that goes away", () => {
  it("interrupts every request that is not answered", async () => {
    const aborted: Array<string> = []
    let begun = 0
    const client = await serve({
      dispatch: (wire) => {
        wire.onAbort = () => aborted.push(wire.target)
        begun++
        return true
      }
    })
    client.send(get.replace("/", "/a") + get.replace("/", "/b"))
    await until(() => begun === 2)
    client.destroy()
    while (aborted.length < 2) await sleep(5)
    assert.deepStrictEqual(aborted, ["/a", "/b"])
  })

  it("fails the reader of its body", async () => {
    const results: Array<unknown> = []
    let begun = 0
    const client = await serve({
      dispatch: (wire) => {
        wire.body(100, (body) => results.push(body))
        begun++
        return true
      }
    })
    client.send(bytes("POST / HTTP/1.1^Host: a^Content-Length: 5^^hel"))
    await until(() => begun === 1)
    client.destroy()
    while (results.length === 0) await sleep(5)
    assert.deepStrictEqual(results, ["Aborted"])
  })

  it("interrupts the fiber of an opened request, also when its turn has not come", async () => {
    const interrupted: Array<boolean> = []
    let begun = 0
    const client = await serve({
      exchange: Effect.andThen(
        Effect.sync(() => begun++),
        hanging(() => interrupted.push(true))
      )
    })
    client.send(get + get)
    await until(() => begun === 2)
    client.destroy()
    while (interrupted.length < 2) await sleep(5)
  })

  it("that ends its side counts as gone, unless halfClose is on", async () => {
    let aborted = false
    let begun = false
    let client = await serve({
      dispatch: (wire) => {
        wire.onAbort = () => (aborted = true)
        return (begun = true)
      }
    })
    client.send(get)
    await until(() => begun)
    client.socket.end()
    assert.strictEqual(await client.end(), "")
    assert.isTrue(aborted)
    await rig!.close()

    client = await serve({
      config: { halfClose: true },
      dispatch: (wire) => {
        setTimeout(() => wire.send(200, [], wire.target), wire.target === "/a" ? 100 : 20)
        return true
      }
    })
    client.send(get.replace("/", "/a") + get.replace("/", "/b"))
    client.socket.end()
    assert.deepStrictEqual(
      replies(await client.end()).map(({ body }) => body),
      ["/a", "/b"]
    )
  })

  it("that ends its side after a request still gets a reply that is ready", async () => {
    const client = await serve(ready)
    client.socket.end(get)
    assert.strictEqual(replies(await client.end())[0]!.body, "ok")
  })

  it("that resets the connection while it is written to breaks nothing", async () => {
    rig = await start({
      dispatch: (wire) => {
        wire.send(200, [], Buffer.alloc(5_000_000))
        return true
      }
    })
    for (let i = 0; i < 20; i++) {
      const client = await rig.connect()
      client.send(get)
      await client.until((text) => text.length > 0)
      client.socket.resetAndDestroy()
    }
    const client = await rig.connect()
    client.send(get)
    assert.strictEqual((await client.reply()).status, 200)
  })
})

describe("an opened request", () => {
  it("streams a reply in chunks, at the pace of the client", async () => {
    let made = 0
    const chunk = new Uint8Array(100_000).fill(0x61)
    const client = await serve({
      exchange: Effect.succeed(
        HttpServerResponse.stream(
          Stream.map(Stream.rechunk(Stream.range(1, 200), 1), () => {
            made++
            return chunk
          })
        )
      )
    })
    client.socket.pause()
    client.send(get)
    await sleep(300)
    assert.isBelow(made, 200)
    client.socket.resume()
    while (client.socket.bytesRead < 20_000_000) await sleep(10)
    const reply = await client.reply()
    assert.strictEqual(reply.headers["transfer-encoding"], "chunked")
    assert.strictEqual(reply.body.length, 20_000_000)
  })

  it("streams the reply to a request whose body was read", async () => {
    const client = await serve({
      dispatch: (wire) => {
        wire.body(10, () =>
          wire.sendResponse(
            HttpServerResponse.stream(Stream.make("a", "b").pipe(Stream.encodeText), {
              headers: { "x-stream": "yes" }
            }),
            () => {}
          )
        )
        return true
      }
    })
    client.send(bytes("POST / HTTP/1.1^Host: a^Content-Length: 2^^ok") + get)
    const reply = await client.reply()
    assert.strictEqual(reply.body, "ab")
    assert.strictEqual(reply.headers["x-stream"], "yes")
    assert.strictEqual((await client.reply()).body, "ab")
  })

  it("cuts the connection where a stream fails after its head was sent", async () => {
    const client = await serve({
      exchange: Effect.succeed(
        HttpServerResponse.stream(
          Stream.concat(
            Stream.encodeText(Stream.make("a")),
            Stream.fromEffect(Effect.andThen(Effect.sleep(50), Effect.fail("broken")))
          )
        )
      )
    })
    client.send(get)
    const text = await client.end()
    assert.include(text, "\r\na\r\n")
    assert.notInclude(text, "0\r\n\r\n")
  })

  it("reads a form with files", async () => {
    const client = await serve({
      exchange: Effect.flatMap(HttpServerRequest, (request) =>
        Effect.map(
          Stream.runFoldEffect(
            request.multipartStream,
            () => "",
            (all: string, part) =>
              part._tag === "Field"
                ? Effect.succeed(`${all}${part.key}=${part.value};`)
                : Effect.map(part.contentEffect, ({ length }) => `${all}${part.name}:${length};`)
          ),
          HttpServerResponse.text
        )
      ).pipe(Effect.orDie)
    })
    const form = new FormData()
    form.set("a", "b")
    form.set("file", new File(["x".repeat(200_000)], "x.txt"))
    const reply = await fetch(`http://127.0.0.1:${rig!.port}/`, { body: form, method: "POST" })
    assert.strictEqual(await reply.text(), "a=b;x.txt:200000;")
    client.destroy()
  })

  it("serves Node's own client with keep-alive", async () => {
    await serve({
      exchange: Effect.flatMap(HttpServerRequest, ({ text }) =>
        Effect.map(Effect.orDie(text), HttpServerResponse.text)
      )
    })
    const agent = new Http.Agent({ keepAlive: true, maxSockets: 1 })
    for (let i = 0; i < 20; i++) {
      const body = await new Promise<string>((resolve, reject) => {
        const request = Http.request(
          { agent, host: "127.0.0.1", method: "POST", port: rig!.port },
          (reply) => {
            let text = ""
            reply.on("data", (part) => (text += part))
            reply.on("end", () => resolve(text))
          }
        )
        request.on("error", reject)
        request.end(`body ${i}`)
      })
      assert.strictEqual(body, `body ${i}`)
    }
    agent.destroy()
  })
})

describe("upgrade", () => {
  const sockets: Given = {
    dispatch: (wire) => wire.target === "/slow" && (setTimeout(() => answer(wire), 50), true),
    exchange: Effect.flatMap(HttpServerRequest, (request) =>
      request.url === "/ws" ? echo(request) : Effect.succeed(HttpServerResponse.text("plain"))
    )
  }

  it("hands the connection to a WebSocket", async () => {
    await serve(sockets)
    const socket = new WebSocket(`ws://127.0.0.1:${rig!.port}/ws`)
    const messages: Array<unknown> = []
    socket.addEventListener("message", ({ data }) => messages.push(data))
    await new Promise((resolve) => socket.addEventListener("open", resolve))
    socket.send("hello")
    socket.send("x".repeat(100_000))
    while (messages.length < 2) await sleep(5)
    assert.strictEqual(messages[0], "hello")
    assert.strictEqual((messages[1] as string).length, 100_000)
    const closed = new Promise((resolve) => socket.addEventListener("close", resolve))
    socket.close()
    await closed
  })

  const handshake = bytes(
    "GET /ws HTTP/1.1^Host: a^Connection: Upgrade^Upgrade: websocket^Sec-WebSocket-Version: 13^Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==^^"
  )

  it("waits for the replies before it, and keeps the bytes after it", async () => {
    const client = await serve(sockets)
    // A masked text frame "hi", with a mask of zeros.
    const frame = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])
    client.send(
      Buffer.concat([Buffer.from(get.replace("/", "/slow") + handshake, "latin1"), frame])
    )
    const text = await client.until((text) => text.endsWith("\x81\x02hi"))
    assert.isBelow(text.indexOf("200 OK"), text.indexOf("101 Switching Protocols"))
  })

  it("is left to the handler, which may answer otherwise", async () => {
    const client = await serve(sockets)
    client.send(handshake.replace("/ws", "/plain"))
    assert.include(await client.end(), "plain")
  })

  it("to HTTP/2 is not taken", async () => {
    const client = await serve(sockets)
    client.send(bytes("GET / HTTP/1.1^Host: a^Connection: Upgrade^Upgrade: h2c^^") + get)
    assert.strictEqual((await client.reply()).body, "plain")
    assert.strictEqual((await client.reply()).body, "plain")
  })
})

describe("where it listens", () => {
  const folder = () => {
    const path = mkdtempSync(join(tmpdir(), "flange-"))
    folders.push(path)
    return path
  }

  it("is loopback where nothing is said", async () => {
    await serve(ready)
    assert.match(rig!.bound.address!, /^http:\/\/127\.0\.0\.1:\d+$/)
  })

  it("is warned of where other machines can connect", async () => {
    const log: Array<unknown> = []
    const onLog = (message: unknown) => log.push(message)
    for (const host of ["127.0.0.1", "127.8.9.1", "localhost"]) {
      await start({ config: { host }, onLog, ...ready }).then(({ close }) => close())
    }
    assert.deepStrictEqual(log, [])
    rig = await start({ config: { host: "0.0.0.0" }, onLog, ...ready })
    assert.include(String(log[0]), "open to other machines")
  })

  it("is told to handlers as the address of the peer, on TCP only", async () => {
    const seen: Array<string | undefined> = []
    const dispatch = (wire: Wire) => seen.push(wire.remoteAddress) > 0 && answer(wire)
    for (const config of [{}, { socket: join(folder(), "app.sock") }]) {
      const client = await serve({ config, dispatch })
      client.send(get)
      await client.reply()
      await rig!.close()
    }
    assert.deepStrictEqual(seen, ["127.0.0.1", undefined])
  })

  it("is a unix socket, with its permissions, that goes with the listener", async () => {
    const socket = join(folder(), "app.sock")
    const client = await serve({ config: { socket, socketMode: "600" }, ...ready })
    assert.strictEqual(rig!.bound.address, `unix:${socket}`)
    assert.strictEqual(statSync(socket).mode & 0o777, 0o600)
    client.send(get)
    assert.strictEqual((await client.reply()).body, "ok")
    await rig!.close()
    assert.isFalse(existsSync(socket))
  })

  it("is a unix socket that a killed process left behind", async () => {
    const socket = join(folder(), "app.sock")
    const child = spawn(process.execPath, [
      "-e",
      `net.createServer().listen(${JSON.stringify(socket)})`
    ])
    while (!existsSync(socket)) await sleep(10)
    child.kill("SIGKILL")
    await once(child, "exit")
    assert.isTrue(existsSync(socket))
    const client = await serve({ config: { socket }, ...ready })
    client.send(get)
    assert.strictEqual((await client.reply()).body, "ok")
  })

  it("is not a unix socket on which another process listens, nor a file", async () => {
    const socket = join(folder(), "app.sock")
    await serve({ config: { socket }, ...ready })
    const error = await start({ config: { socket }, ...ready }).then(
      () => undefined,
      (error: unknown) => error
    )
    assert.strictEqual((error as { code?: string }).code, "EADDRINUSE")
    const file = join(folder(), "file")
    writeFileSync(file, "")
    chmodSync(file, 0o600)
    const other = await start({ config: { socket: file }, ...ready }).then(
      () => undefined,
      (error: unknown) => error
    )
    assert.strictEqual((other as { _tag?: string })._tag, "BindError")
    assert.isTrue(existsSync(file))
  })
})

describe("drain", () => {
  const drain = (timeout: number) =>
    Effect.runPromise(rig!.bound.drain({ delay: Duration.zero, timeout: Duration.millis(timeout) }))

  it("lets requests in flight finish, says close, and closes what is idle", async () => {
    const waiting: Array<Wire> = []
    const busy = await serve({
      dispatch: (wire) => (wire.target === "/hold" ? waiting.push(wire) > 0 : answer(wire))
    })
    const idle = await rig!.connect()
    const silent = await rig!.connect()
    idle.send(get)
    await idle.reply()
    busy.send(get.replace("/", "/hold"))
    while (waiting.length === 0) await sleep(5)
    const drained = drain(60_000)
    assert.strictEqual(await idle.end(), "")
    assert.strictEqual(await silent.end(), "")
    waiting[0]!.send(200, [], "done")
    const reply = await busy.reply()
    assert.strictEqual(reply.body, "done")
    assert.strictEqual(reply.headers["connection"], "close")
    await drained
  })

  it("answers a request that arrives on an idle connection while it stops", async () => {
    const client = await serve(ready)
    client.send(get)
    await client.reply()
    const drained = drain(60_000)
    client.send(get)
    const reply = await client.reply()
    assert.strictEqual(reply.body, "ok")
    assert.strictEqual(reply.headers["connection"], "close")
    await drained
  })

  it("goes on accepting during the delay", async () => {
    await serve(ready)
    await Effect.gen(function* () {
      const drained = yield* Effect.forkChild(
        rig!.bound.drain({ delay: Duration.hours(1), timeout: Duration.minutes(1) })
      )
      yield* TestClock.adjust("59 minutes")
      const client = yield* Effect.promise(() => rig!.connect())
      client.send(get)
      const reply = yield* Effect.promise(() => client.reply())
      assert.strictEqual(reply.headers["connection"], "close")
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(drained)
    }).pipe(Effect.provide(TestClock.layer()), Effect.runPromise)
    const refused = await rig!.connect().then(
      () => false,
      () => true
    )
    assert.isTrue(refused)
  })

  it("answers all pipelined requests, and says close with the last", async () => {
    const waiting: Array<Wire> = []
    const client = await serve({ dispatch: (wire) => waiting.push(wire) > 0 })
    client.send(get.repeat(3))
    while (waiting.length < 3) await sleep(5)
    const drained = drain(60_000)
    for (const wire of waiting) wire.send(200, [], "ok")
    const all = replies(await client.end())
    assert.deepStrictEqual(
      all.map(({ headers }) => headers["connection"]),
      [undefined, undefined, "close"]
    )
    await drained
  })

  it("interrupts both kinds of requests after the timeout", async () => {
    let begun = false
    let interrupted = false
    const general = await serve({
      exchange: Effect.andThen(
        Effect.sync(() => (begun = true)),
        hanging(() => (interrupted = true))
      )
    })
    let told = false
    general.send(get)
    await until(() => begun)
    await drain(50)
    assert.isTrue(interrupted)
    await general.end()
    await rig!.close()

    const wires: Array<Wire> = []
    const compiled = await serve({
      dispatch: (wire) => wires.push(wire) > 0,
      interrupt: Effect.sync(() => {
        told = true
        for (const wire of wires) wire.send(503, [], "stopping")
      })
    })
    compiled.send(get)
    while (wires.length === 0) await sleep(5)
    await drain(50)
    assert.isTrue(told)
    assert.strictEqual(replies(await compiled.end())[0]!.status, 503)
  })

  it("cuts what does not end", async () => {
    let begun = false
    const client = await serve({ dispatch: () => (begun = true) })
    client.send(get)
    await until(() => begun)
    await drain(50)
    assert.strictEqual(await client.end(), "")
  })
})
