// Clients of HTTP/2 that do not read, or do not close their connections.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as TestApp from "../../../../../src/Testing/TestApp.ts"
import * as app from "./app.ts"
import { block, codes, Connection, data, headers, types, windowUpdate } from "./frames.ts"

const fields = (method: string, path: string) =>
  block([":method", method], [":scheme", "http"], [":path", path], [":authority", "a"])

/** Writes now and then, which fails once the server has closed the connection. */
const closed = async (connection: Connection) => {
  while (!connection.isClosed) {
    connection.send(windowUpdate(0, 1))
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** More than the buffers of the kernel for a connection hold. */
const filler = "x".repeat(15_000)

/** Sends requests, whose replies fill every buffer, and reads none. Returns the next number of a stream. */
const fill = (connection: Connection, method: string, path: string, count: number): number => {
  connection.pause()
  for (let i = 0; i < count; i++) connection.send(headers(2 * i + 1, fields(method, path)))
  return 2 * count + 1
}

const listening = (own: object, large = "") =>
  TestApp.listening(app.make(large).app, {
    config: {
      server: {
        ...("tls" in own ? {} : { h2c: true }),
        listener: "node",
        maxStreams: 10_000,
        ...own
      }
    }
  })

const tls = { tls: { selfSigned: ["localhost"] } }

describe("over HTTP/2, the server closes the connection of a client", () => {
  for (const [method, path, protocol, own] of [
    ["GET", "/nothing", "TCP", {}],
    ["HEAD", "/hello", "TCP", {}],
    ["GET", "/hello", "TCP", {}],
    ["GET", "/nothing", "TLS", tls],
    ["GET", "/hello", "TLS", tls]
  ] as const) {
    it.live(
      `that reads no reply to ${method} ${path} over ${protocol} within server.writeTimeout`,
      () =>
        Effect.gen(function* () {
          const { url } = yield* listening({ writeTimeout: "300ms", ...own }, filler)
          const connection = new Connection(url).begin()
          // Fewer than those for which Node ends the session, because it takes too much memory.
          fill(connection, method, path, 800)
          yield* Effect.promise(() => closed(connection))
          assert.isTrue(connection.isClosed)
        })
    )
  }

  it.live("that breaks the rules and does not read that it did", () =>
    Effect.gen(function* () {
      const { url } = yield* listening({ writeTimeout: "300ms" }, filler)
      const connection = new Connection(url).begin()
      const id = fill(connection, "GET", "/nothing", 2000)
      connection.send(data(id, "x"))
      yield* Effect.promise(() => closed(connection))
      assert.isTrue(connection.isClosed)
    })
  )

  for (const [protocol, own] of [
    ["TCP", {}],
    ["TLS", tls]
  ] as const) {
    it.live(`that is told to close it over ${protocol} and does not`, () =>
      Effect.gen(function* () {
        const { url } = yield* listening({ headersTimeout: "1s", keepAlive: "100ms", ...own })
        const connection = new Connection(url, { allowHalfOpen: true }).begin()
        yield* Effect.promise(() => closed(connection))
        const goaway = connection.frames.find(({ type }) => type === types.goaway)
        assert.strictEqual(goaway?.payload.readUInt32BE(4), codes.none)
      })
    )
  }

  it.live("that neither reads nor closes it when the app stops", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { url } = yield* Scope.provide(
        TestApp.listening(app.make(filler).app, {
          config: {
            app: { drainTimeout: "300ms" },
            server: { h2c: true, listener: "node", maxStreams: 10_000 }
          }
        }),
        scope
      )
      const connection = new Connection(url, { allowHalfOpen: true }).begin()
      yield* Effect.promise(() => connection.find(({ type }) => type === types.settings))
      fill(connection, "GET", "/nothing", 2000)
      yield* Scope.close(scope, Exit.void)
      yield* Effect.promise(() => closed(connection))
      assert.isTrue(connection.isClosed)
    })
  )
})
