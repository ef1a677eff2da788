// What a client of HTTP/2 cannot do to the server.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestApp from "../../../../../src/Testing/TestApp.ts"
import * as app from "./app.ts"
import {
  block,
  codes,
  Connection,
  data,
  flags,
  type Frame,
  frame,
  headers,
  ping,
  rst,
  settings,
  types,
  uint32,
  windowUpdate
} from "./frames.ts"

const get = (path: string) =>
  block([":method", "GET"], [":scheme", "http"], [":path", path], [":authority", "a"])

const isGoaway =
  (code: number) =>
  ({ payload, type }: Frame) =>
    type === types.goaway && payload.readUInt32BE(4) === code

const isReset =
  (id: number, code: number) =>
  ({ payload, stream, type }: Frame) =>
    type === types.rstStream && stream === id && payload.readUInt32BE(0) === code

const check = (
  name: string,
  own: object,
  run: (connection: Connection, url: string) => Promise<void>,
  entries: ReadonlyArray<readonly [number, number]> = []
) =>
  it.live(name, () =>
    Effect.scoped(
      Effect.gen(function* () {
        const config = { server: { h2c: true, listener: "node", ...own } }
        const { url } = yield* TestApp.listening(app.make().app, { config })
        const connection = new Connection(url).begin(...entries)
        yield* Effect.promise(() => run(connection, url))
        connection.close()
        // Others are served as before.
        assert.strictEqual(
          yield* Effect.promise(async () => (await fetch(`${url}/hello`)).text()),
          "hello"
        )
      })
    )
  )

/** Sends frames in groups until the connection ends. Fails if the server takes all of them. */
const flood = async (connection: Connection, made: (i: number) => Buffer, most = 20_000) => {
  for (let i = 0; i < most && !connection.isClosed; i += 100) {
    connection.send(...Array.from({ length: 100 }, (_, j) => made(i + j)))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await connection.closed()
}

describe("over HTTP/2", () => {
  for (const [name, code] of [
    ["as cancelled", codes.cancel],
    ["without an error", codes.none]
  ] as const) {
    check(
      `a client that ends each request at once, ${name}, is cut off`,
      {},
      async (connection) => {
        await flood(connection, (i) =>
          Buffer.concat([headers(2 * i + 1, get("/wait")), rst(2 * i + 1, code)])
        )
        assert.isTrue(connection.isClosed)
      }
    )
  }

  check(
    "a client may cancel a request with any code, together with its head, its body or an error",
    {},
    async (_, url) => {
      const requests = [
        ["GET", "/large"],
        ["GET", "/stream"],
        ["GET", "/wait"],
        ["HEAD", "/large"],
        ["POST", "/echo"],
        ["POST", "/nowhere"]
      ] as const
      const endings = [
        (code: number) => [rst(1, code)],
        (code: number) => [data(1, "x", 0), rst(1, code)],
        (code: number) => [data(1, "x"), rst(1, code)],
        () => [data(3, "x")],
        (code: number) => [frame(types.goaway, 0, 0, Buffer.concat([uint32(0), uint32(code)]))]
      ]
      for (const [method, path] of requests) {
        for (const isEnd of method === "POST" ? [false, true] : [true]) {
          for (const ending of isEnd ? endings.toSpliced(1, 2) : endings) {
            const group = Array.from({ length: 30 }, (_, i) => {
              const fields = block(
                [":method", method],
                [":scheme", "http"],
                [":path", path],
                [":authority", "a"],
                ["content-type", "text/plain"],
                ...(i % 2 === 0 ? [] : ([["expect", "100-continue"]] as const))
              )
              const each = new Connection(url).begin()
              each.send(
                headers(1, fields, isEnd ? flags.endStream : 0),
                ...ending(i >> 1),
                ping("x")
              )
              return each
            })
            for (const each of group) {
              await each.find(({ type }) => type === types.ping || type === types.goaway)
              each.close()
            }
          }
        }
      }
    }
  )

  check(
    "a client may cancel a request while its body is read, and while its reply is sent",
    {},
    async (_, url) => {
      const isHead = ({ stream, type }: Frame) => stream === 1 && type === types.headers
      const post = block(
        [":method", "POST"],
        [":scheme", "http"],
        [":path", "/echo"],
        [":authority", "a"],
        ["content-type", "text/plain"],
        ["expect", "100-continue"]
      )
      const begins = [
        headers(1, get("/large")),
        headers(1, get("/stream")),
        Buffer.concat([headers(1, post, 0), data(1, "x", 0)])
      ]
      for (const begin of begins) {
        for (let code = 0; code < 15; code++) {
          // Without a window, the rest of the reply waits.
          const each = new Connection(url).begin([4, 1])
          each.send(begin)
          await each.find(isHead)
          each.send(rst(1, code), ping("x"))
          await each.find(({ type }) => type === types.ping || type === types.goaway)
          each.close()
        }
      }
    }
  )

  check("a client that makes the server cancel each request is cut off", {}, async (connection) => {
    await flood(connection, (i) =>
      Buffer.concat([headers(2 * i + 1, get("/wait")), windowUpdate(2 * i + 1, 0x7fff_ffff)])
    )
    assert.isTrue(connection.isClosed)
  })

  check(
    "a client that only sends requests that are malformed is cut off",
    {},
    async (connection) => {
      await flood(connection, (i) => headers(2 * i + 1, block([":method", "GET"])))
      assert.isTrue(connection.isClosed)
    }
  )

  const post = block(
    [":method", "POST"],
    [":scheme", "http"],
    [":path", "/echo"],
    [":authority", "a"],
    ["content-type", "text/plain"]
  )

  check("a client that only sends empty DATA is cut off", {}, async (connection) => {
    connection.send(headers(1, post, 0))
    await flood(connection, () => data(1, "", 0))
    assert.isTrue(connection.isClosed)
  })

  check("a client that only sends PING is cut off", {}, async (connection) => {
    await flood(connection, () => ping("again"))
    assert.isTrue(connection.isClosed)
  })

  check("a client that only sends GOAWAY is cut off", {}, async (connection) => {
    // While a request is open, the first one does not end the connection.
    connection.send(headers(1, get("/wait")))
    await flood(connection, () =>
      frame(types.goaway, 0, 0, Buffer.concat([uint32(0), uint32(codes.none)]))
    )
    assert.isTrue(connection.isClosed)
  })

  check("a client that only sends SETTINGS is cut off", {}, async (connection) => {
    await flood(connection, () => settings([4, 65_535]))
    assert.isTrue(connection.isClosed)
  })

  check("a header block without an end is cut off", {}, async (connection) => {
    connection.send(frame(types.headers, flags.endStream, 1, get("/hello")))
    await flood(connection, (i) =>
      frame(types.continuation, 0, 1, block([`x-${i}`, "x".repeat(100)]))
    )
    assert.isTrue(connection.isClosed)
  })

  check(
    "a header list above server.maxHeaderBytes is refused",
    { maxHeaderBytes: 2000 },
    async (connection) => {
      const long = block(["x-long", "x".repeat(3000)])
      connection.send(headers(1, Buffer.concat([get("/hello"), long])))
      assert.isDefined(await connection.find(isReset(1, codes.enhanceYourCalm)))
    }
  )

  check(
    "more fields than server.maxHeaders are refused",
    { maxHeaders: 10 },
    async (connection) => {
      const many = Array.from({ length: 20 }, (_, i) => block([`x-${i}`, "1"]))
      connection.send(headers(1, Buffer.concat([get("/hello"), ...many])))
      assert.isDefined(await connection.find(isReset(1, codes.enhanceYourCalm)))
    }
  )

  check(
    "a client that opens more streams than server.maxStreams is cut off",
    { maxStreams: 2 },
    async (connection) => {
      // The limit holds once the client has acknowledged it.
      await connection.find(
        ({ flags: flag, type }) => type === types.settings && flag === flags.ack
      )
      connection.send(headers(1, get("/wait")), headers(3, get("/wait")), headers(5, get("/hello")))
      assert.isDefined(await connection.find(isGoaway(codes.protocol)))
    }
  )

  check(
    "a client that opens no window for a reply has its request ended after server.writeTimeout",
    { writeTimeout: "200ms" },
    async (connection) => {
      connection.send(headers(1, get("/large")), headers(3, get("/stream")))
      for (const id of [1, 3]) {
        assert.isDefined(await connection.find(isReset(id, codes.cancel)), `stream ${id}`)
      }
    },
    [[4, 0]]
  )

  for (const [name, begin] of [
    ["a reply", headers(1, get("/large"))],
    ["a reply to a request that has not ended", headers(1, get("/large"), 0)],
    ["a streamed reply", headers(1, get("/stream"))],
    [
      "the refusal of a body",
      Buffer.concat([headers(1, post, 0), ...Array.from({ length: 1100 }, () => data(1, "x", 0))])
    ]
  ] as const) {
    check(
      `${name} that waits for a window is dropped when its client ends the request without an error`,
      { headersTimeout: "100ms", keepAlive: "100ms" },
      async (connection) => {
        connection.send(begin)
        await connection.find(({ stream, type }) => stream === 1 && type === types.headers)
        connection.send(rst(1, codes.none))
        // Then the connection has no request.
        assert.isDefined(await connection.find(isGoaway(codes.none)))
      },
      [[4, 0]]
    )
  }

  check(
    "a client that reads slowly is served for as long as it reads",
    { writeTimeout: "400ms" },
    async (connection) => {
      connection.send(headers(1, get("/large")))
      // A window of one piece for each round, over more than the timeout.
      for (let i = 0; i < 8; i++) {
        await new Promise((resolve) => setTimeout(resolve, 100))
        connection.send(windowUpdate(1, 16_384), windowUpdate(0, 16_384))
      }
      connection.send(windowUpdate(1, app.largeLength), windowUpdate(0, app.largeLength))
      const isEnd = ({ flags: flag, stream, type }: Frame) =>
        stream === 1 &&
        (type === types.rstStream || (type === types.data && (flag & flags.endStream) !== 0))
      assert.strictEqual((await connection.find(isEnd))?.type, types.data)
    },
    [[4, 0]]
  )

  check(
    "a body that does not end is cut off after server.requestTimeout",
    { headersTimeout: "200ms", requestTimeout: "200ms" },
    async (connection) => {
      connection.send(headers(1, post, 0))
      assert.isDefined(await connection.find(isReset(1, codes.cancel)))
    }
  )

  check(
    "a connection without a request is closed after server.keepAlive",
    { headersTimeout: "100ms", keepAlive: "100ms" },
    async (connection) => {
      assert.isDefined(await connection.find(isGoaway(codes.none)))
      await connection.closed()
    }
  )

  it.live("a connection above server.maxConnections is closed", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const config = { server: { h2c: true, listener: "node", maxConnections: 1 } }
        const { url } = yield* TestApp.listening(app.make().app, { config })
        const first = new Connection(url).begin()
        yield* Effect.promise(() => first.find(({ type }) => type === types.settings))
        const second = new Connection(url).begin()
        yield* Effect.promise(() => second.closed())
        assert.isFalse(second.frames.some(({ type }) => type === types.settings))
        first.close()
      })
    )
  )
})
