// Memcached servers that do not answer, or not as they should.
import { once } from "node:events"
import { createServer, type Socket } from "node:net"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { describe, expect, it } from "vitest"
import { MemcachedStore } from "../../../src/Layers/Cache/MemcachedStore.ts"

/** Answers a command on a connection, which is the `connection`th, from 1. */
type Answer = (socket: Socket, command: string, connection: number) => void

/** Opens a store on a server of the test. */
const opened = (answer: Answer) =>
  Effect.gen(function* () {
    const sockets = new Set<Socket>()
    let connections = 0
    const server = createServer((socket) => {
      const connection = ++connections
      sockets.add(socket)
      socket.on("error", () => {})
      socket.on("data", (data) => {
        for (const line of data.toString().split("\r\n").slice(0, -1)) {
          answer(socket, line, connection)
        }
      })
    }).listen(0, "127.0.0.1")
    yield* Effect.promise(() => once(server, "listening"))
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const socket of sockets) socket.destroy()
        server.close()
      })
    )
    const { port } = server.address() as { readonly port: number }
    const store = yield* MemcachedStore.make([`127.0.0.1:${port}`])
    /** What a key has within 250 ms, as a request waits for it. */
    const get = Effect.timeoutOption(store.get(["a"]), 250)
    return { connections: () => connections, get, store }
  })

const run = <A>(effect: Effect.Effect<A, unknown, Scope.Scope>) =>
  Effect.runPromise(Effect.scoped(effect))

const value = (socket: Socket) => socket.write("VALUE a 0 5\r\nhello\r\nEND\r\n")

describe("a connection to Memcached that", () => {
  it.each<readonly [string, Answer]>([
    ["never answers", () => {}],
    ["stops within a value", (socket) => socket.write("VALUE a 0 1000000\r\nhel")],
    ["answers with a line that does not end", (socket) => socket.write("x".repeat(1000))],
    ["announces a length that is no number", (socket) => socket.write("VALUE a 0 x\r\nhello\r\n")]
  ])("%s is given up while it is used, and the next one works", (_, wrong) =>
    run(
      Effect.gen(function* () {
        const { connections, get } = yield* opened((socket, command, connection) => {
          if (connection === 1) wrong(socket, command, connection)
          else value(socket)
        })
        let found: unknown
        while (found === undefined) {
          yield* Effect.sleep(20)
          const answer = yield* Effect.exit(get)
          if (answer._tag === "Success" && answer.value._tag === "Some")
            [found] = answer.value.value
        }
        expect([found, connections()]).toEqual(["hello", 2])
      })
    )
  )
})
