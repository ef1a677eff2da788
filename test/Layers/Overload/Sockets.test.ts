import { connect } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestApp } from "flange/Testing"
import { guarded, make, one, until } from "./fixtures.ts"

/** Opens a connection and sends a text on it. */
const open = (url: string, text: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => connect({ host: "127.0.0.1", port: Number(new URL(url).port) })),
      (socket) => Effect.sync(() => socket.destroy())
    ),
    (socket) => {
      let received = ""
      socket.setEncoding("latin1")
      socket.on("data", (chunk: string) => (received += chunk))
      socket.on("error", () => {})
      socket.write(text)
      return { received: () => received, socket }
    }
  )

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`

const post = (length: number) =>
  `POST /send HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`

describe.each(["node", "proxied"] as const)("on the %s listener", (listener) => {
  const listening = (app: ReturnType<typeof make>["app"], overload: object = one.overload) =>
    TestApp.listening(app, { config: { overload, server: { listener } } })

  it.effect("a request whose body comes slowly is not counted", () =>
    Effect.gen(function* () {
      const { app, open: finish, ran } = make()
      const test = yield* listening(app)
      const { concurrency } = yield* test.run(guarded)
      const slow = yield* open(test.url, `${post(7)}{"n"`)
      const other = yield* open(test.url, get("/slow"))
      yield* until(() => ran.length === 1)
      assert.strictEqual(concurrency.inFlight, 1)
      yield* finish
      yield* until(() => other.received().includes("done"))
      slow.socket.write(":1}")
      yield* until(() => slow.received().includes("done"))
      assert.include(slow.received(), "HTTP/1.1 200")
      assert.deepStrictEqual(ran, ["slow", "send"])
      yield* until(() => concurrency.inFlight === 0)
    })
  )

  it.effect("a request is refused before its body has come", () =>
    Effect.gen(function* () {
      const { app, open: finish, ran } = make()
      const test = yield* listening(app, { ...one.overload, maxQueue: 1 })
      const { gate } = yield* test.run(guarded)
      yield* open(test.url, get("/slow"))
      yield* until(() => ran.length === 1)
      yield* open(test.url, get("/slow"))
      yield* until(() => gate.queued === 1)
      const { received } = yield* open(test.url, post(1000))
      yield* until(() => received().includes("OVERLOADED"))
      assert.include(received(), "HTTP/1.1 503")
      assert.match(received(), /retry-after: 1/i)
      yield* finish
    })
  )

  it.effect("clients that disconnect leave the queue, also in the middle of a pipeline", () =>
    Effect.gen(function* () {
      const { app, open: finish, ran } = make()
      const test = yield* listening(app)
      const { concurrency, gate } = yield* test.run(guarded)
      const first = yield* Effect.forkChild(test.get("/slow"))
      yield* until(() => ran.length === 1)
      const clients = yield* Effect.forEach(Array.from({ length: 20 }), () =>
        open(test.url, get("/slow").repeat(3))
      )
      yield* until(() => gate.queued === 60)
      for (const { socket } of clients) socket.destroy()
      yield* until(() => gate.queued === 0)
      yield* finish
      ;(yield* Fiber.join(first)).expectStatus(200)
      yield* until(() => concurrency.inFlight === 0)
      assert.deepStrictEqual(ran, ["slow"])
    })
  )

  it.effect("pipelined requests are answered in their order", () =>
    Effect.gen(function* () {
      const { app, open: finish } = make()
      const test = yield* listening(app)
      const { gate } = yield* test.run(guarded)
      const { received } = yield* open(
        test.url,
        get("/stats") + get("/pay") + get("/alive") + get("/slow")
      )
      yield* until(() => gate.queued === 2)
      yield* finish
      yield* until(() => received().split("HTTP/1.1 200").length === 5)
      assert.deepStrictEqual(received().match(/"(?:done|ok)"/g), [
        '"done"',
        '"done"',
        '"ok"',
        '"done"'
      ])
    })
  )
})
