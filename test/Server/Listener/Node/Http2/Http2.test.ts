// Requests and replies of HTTP/2, without TLS.
import { sensitiveHeaders } from "node:http2"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestApp from "../../../../../src/Testing/TestApp.ts"
import * as app from "./app.ts"
import { Client, received } from "./client.ts"
import { block, codes, Connection, headers, types } from "./frames.ts"

const server = { h2c: true, listener: "node" }

/** Boots the app and connects a client to it. */
const started = (own: object = {}) =>
  Effect.gen(function* () {
    const made = app.make()
    const test = yield* TestApp.listening(made.app, { config: { server: { ...server, ...own } } })
    const client = yield* Effect.acquireRelease(
      Effect.sync(() => new Client(test.url)),
      (client) => Effect.sync(() => client.close())
    )
    return { ...made, client, url: test.url }
  })

const check = (
  name: string,
  run: (given: Effect.Success<ReturnType<typeof started>>) => Promise<void>,
  own: object = {}
) =>
  it.live(name, () =>
    Effect.scoped(
      Effect.gen(function* () {
        const given = yield* started(own)
        yield* Effect.promise(() => run(given))
      })
    )
  )

describe("over HTTP/2", () => {
  check("a reply has its length and a date, and no field of a connection", async ({ client }) => {
    const { headers, text } = await client.request("/hello")
    assert.strictEqual(text, "hello")
    assert.strictEqual(headers[":status"], 200)
    assert.strictEqual(headers["content-length"], "5")
    assert.isDefined(headers.date)
    assert.isUndefined(headers.connection)
  })

  check("no table of compressed headers keeps the request id of a reply", async ({ client }) => {
    const { headers } = await client.request("/hello")
    assert.deepStrictEqual(Reflect.get(headers, sensitiveHeaders), ["x-request-id"])
  })

  check("a reply to HEAD has the length and no body", async ({ client }) => {
    const { headers, text } = await client.request("/hello", { ":method": "HEAD" })
    assert.strictEqual(text, "")
    assert.strictEqual(headers["content-length"], "5")
  })

  check("a reply without content has no length", async ({ client }) => {
    const { headers } = await client.request("/nothing")
    assert.strictEqual(headers[":status"], 204)
    assert.isUndefined(headers["content-length"])
  })

  check("a long reply comes whole through a small window", async ({ url }) => {
    const narrow = new Client(url, { settings: { initialWindowSize: 1000 } })
    const { text } = await narrow.request("/large")
    narrow.close()
    assert.strictEqual(text.length, app.largeLength)
  })

  check("a stream comes piece by piece", async ({ client }) => {
    const { headers, text } = await client.request("/stream")
    assert.strictEqual(text, "one,two,three")
    assert.isUndefined(headers["content-length"])
  })

  check("a body comes whole, with its length and without", async ({ client }) => {
    const body = "ä".repeat(100_000)
    const type = { ":method": "POST", "content-type": "text/plain" }
    const length = { "content-length": String(Buffer.byteLength(body)) }
    for (const own of [{}, length]) {
      const { text } = await client.request("/echo", { ...type, ...own }, body)
      assert.strictEqual(text, body)
    }
  })

  check("a client that waits for 100 Continue is told to send the body", async ({ client }) => {
    const stream = client.begin("/echo", {
      ":method": "POST",
      "content-type": "text/plain",
      expect: "100-continue"
    })
    stream.on("continue", () => stream.end("now"))
    assert.strictEqual((await received(stream)).text, "now")
  })

  check("a client that waits for 100 Continue gets a refusal first", async ({ client }) => {
    let isContinued = false
    const stream = client.begin("/nowhere", { ":method": "POST", expect: "100-continue" })
    stream.on("continue", () => {
      isContinued = true
    })
    assert.strictEqual((await received(stream)).headers[":status"], 404)
    assert.isFalse(isContinued)
  })

  check(
    "a body that nobody reads costs neither its request nor the next ones",
    async ({ client }) => {
      // More than the window of the connection.
      for (let i = 0; i < 20; i++) {
        const stream = client.begin("/nowhere", { ":method": "POST" })
        stream.write(Buffer.alloc(40_000))
        const { code, headers } = await received(stream)
        assert.strictEqual(headers[":status"], 404)
        assert.strictEqual(code, codes.none)
      }
      assert.strictEqual((await client.request("/hello")).text, "hello")
    }
  )

  check(
    "a body above the limit is answered with 413",
    async ({ client }) => {
      const type = { ":method": "POST", "content-type": "text/plain" }
      const { headers } = await client.request("/echo", type, Buffer.alloc(2000))
      assert.strictEqual(headers[":status"], 413)
      assert.strictEqual((await client.request("/hello")).text, "hello")
    },
    { bodyLimit: 1000 }
  )

  check("a client of HTTP/1.1 is served on the same port", async ({ url }) => {
    const connection = new Connection(url)
    connection.close()
    assert.strictEqual(await (await fetch(`${url}/hello`)).text(), "hello")
  })

  for (const [name, fields, status] of [
    ["Host differs from :authority", { ":authority": "a", host: "b" }, 400],
    [":authority is no authority", { ":authority": "a!b" }, 400],
    [":scheme is not that of HTTP", { ":authority": "a", ":scheme": "ftp" }, 400],
    ["Expect asks for another thing", { ":authority": "a", expect: "tea" }, 417]
  ] as const) {
    check(`a request whose ${name} is refused with a problem document`, async ({ client }) => {
      const { headers, text } = await client.request("/hello", fields)
      assert.strictEqual(headers[":status"], status)
      assert.strictEqual(headers["content-type"], "application/problem+json")
      assert.strictEqual(JSON.parse(text).status, status)
    })
  }

  check("CONNECT is refused with 501", async ({ url }) => {
    const connection = new Connection(url).begin()
    connection.send(headers(1, block([":method", "CONNECT"], [":authority", "a:1"])))
    const found = await connection.find(({ stream, type }) => stream === 1 && type === types.data)
    connection.close()
    assert.strictEqual(JSON.parse(found!.payload.toString()).status, 501)
  })

  it.live("a request that its client cancels is interrupted", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { client, events } = yield* started()
        const stream = client.begin("/wait")
        yield* Deferred.await(events.entered)
        stream.close(codes.cancel)
        yield* Deferred.await(events.interrupted)
        const next = yield* Effect.promise(() => client.request("/hello"))
        assert.strictEqual(next.text, "hello")
      })
    )
  )

  it.live("a request whose connection breaks is interrupted", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { client, events } = yield* started()
        client.begin("/wait")
        yield* Deferred.await(events.entered)
        client.close()
        yield* Deferred.await(events.interrupted)
      })
    )
  )

  for (const [path, type] of [
    ["/collect", "application/octet-stream"],
    ["/echo", "text/plain"]
  ]) {
    for (const body of ["", "text"]) {
      it.live(`${path} reads the body "${body}" that ended before it was read`, () =>
        Effect.scoped(
          Effect.gen(function* () {
            const { client, events } = yield* started()
            const fields = { ":method": "POST", "content-type": type, "x-wait": "1" }
            const stream = client.begin(path!, fields)
            const reply = received(stream)
            yield* Effect.promise(() => new Promise<void>((done) => stream.end(body, done)))
            // The server has handled the end of the body when it answers this.
            yield* Effect.promise(() => new Promise((done) => client.session.ping(done)))
            yield* Deferred.succeed(events.proceed, undefined)
            const { headers, text } = yield* Effect.promise(() => reply)
            assert.deepStrictEqual([headers[":status"], text], [200, body])
          })
        )
      )
    }
  }

  it.live("the drain waits for no body that nobody reads", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const config = { app: { drainTimeout: "1 hour" }, server: { ...server, bodyLimit: 1000 } }
      const { url } = yield* TestApp.listening(app.make().app, { config }).pipe(
        Scope.provide(scope)
      )
      const client = new Client(url)
      const type = { ":method": "POST", "content-type": "text/plain" }
      for (const path of ["/nowhere", "/echo"]) {
        const stream = client.begin(path, type)
        stream.write(Buffer.alloc(60_000))
        assert.isAbove((yield* Effect.promise(() => received(stream))).headers[":status"]!, 400)
      }
      yield* Scope.close(scope, Exit.void)
    })
  )

  it.live("the drain sends GOAWAY, and requests in flight are answered", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const made = app.make()
      const test = yield* TestApp.listening(made.app, { config: { server } }).pipe(
        Scope.provide(scope)
      )
      const connection = new Connection(test.url).begin()
      const fields = block(
        [":method", "GET"],
        [":scheme", "http"],
        [":path", "/wait"],
        [":authority", "a"]
      )
      connection.send(headers(1, fields))
      yield* Deferred.await(made.events.entered)
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      const goaway = yield* Effect.promise(() =>
        connection.find(({ type }) => type === types.goaway)
      )
      // A client sends requests above the last one again.
      assert.strictEqual(goaway!.payload.readUInt32BE(0), 1)
      assert.strictEqual(goaway!.payload.readUInt32BE(4), codes.none)
      yield* Deferred.succeed(made.events.proceed, undefined)
      const body = yield* Effect.promise(() =>
        connection.find(({ stream, type }) => stream === 1 && type === types.data)
      )
      assert.strictEqual(body!.payload.toString(), "waited")
      yield* Effect.promise(() => connection.closed())
      yield* Fiber.join(closing)
    })
  )
})
