/** Tests of calls to servers whose responses break the rules of HTTP/1.1. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { clients, serveTcp, until } from "./rig.ts"

const ok = "HTTP/1.1 200 OK\r\n"

/** What a server sends again and again, after what it sends once. */
const cases: ReadonlyArray<{
  readonly again?: string
  readonly name: string
  readonly once?: string
}> = [
  { again: "HTTP/1.1 103 Early Hints\r\n\r\n", name: "interim responses without an end" },
  {
    name: "an upgrade that was not asked for",
    once: "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"
  },
  { name: "100 Continue that was not asked for", once: "HTTP/1.1 100 Continue\r\n\r\n" },
  { again: `x-long: ${"x".repeat(1000)}\r\n`, name: "a head without an end", once: ok },
  { again: "x", name: "a status line without an end", once: "HTTP/1.1 200 " },
  { name: "two lengths", once: `${ok}content-length: 1\r\ncontent-length: 2\r\n\r\nab` },
  {
    name: "a length and chunks",
    once: `${ok}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`
  },
  { name: "a length that is no number", once: `${ok}content-length: 1x\r\n\r\na` },
  { name: "a NUL in a field", once: `${ok}x-nul: a\0b\r\ncontent-length: 1\r\n\r\na` },
  {
    name: "a chunk size that overflows",
    once: `${ok}transfer-encoding: chunked\r\n\r\nfffffffffffffffffff\r\na`
  },
  { name: "no HTTP at all", once: "SSH-2.0-OpenSSH_9.6\r\n" }
]

describe("a server that answers with", () => {
  for (const each of ["client", "userUrls"] as const) {
    for (const { again, name, once = "" } of cases) {
      it.live(`${name} ends its call of ${each}, and the next call has its own response`, () =>
        Effect.gen(function* () {
          const upstream = yield* serveTcp((socket) => {
            socket.once("data", (head) => {
              if (!head.toString().startsWith("GET /bad ")) {
                return socket.write(`${ok}content-length: 6\r\n\r\nhonest`)
              }
              socket.write(once)
              if (again === undefined) return undefined
              const timer = setInterval(() => socket.write(again), 5)
              return socket.on("close", () => clearInterval(timer))
            })
          })
          const all = yield* clients({
            attemptTimeout: "500 millis",
            retries: 0,
            userUrls: {
              allowNetworks: ["127.0.0.1"],
              ports: [Number(new URL(upstream.url).port)],
              timeout: "500 millis"
            }
          })
          const exit = yield* Effect.exit(
            Effect.flatMap(all[each].get(`${upstream.url}/bad`), ({ text }) => text)
          )
          assert.isTrue(Exit.isFailure(exit))
          yield* until(() => upstream.connections.size === 0)
          // On a busy machine the short time of the call may not be enough.
          const next = Effect.flatMap(all[each].get(`${upstream.url}/good`), ({ text }) => text)
          assert.strictEqual(yield* Effect.eventually(next), "honest")
        })
      )
    }

    it.live(`two responses to one call of ${each}: the next call does not get the second`, () =>
      Effect.gen(function* () {
        const upstream = yield* serveTcp((socket) => {
          socket.on("data", (head) => {
            const isBad = head.toString().startsWith("GET /bad ")
            socket.write(`${ok}content-length: 6\r\n\r\nhonest`)
            if (isBad) socket.write(`${ok}content-length: 6\r\n\r\nforged`)
          })
        })
        const all = yield* clients({
          userUrls: { allowNetworks: ["127.0.0.1"], ports: [Number(new URL(upstream.url).port)] }
        })
        const get = (path: string) =>
          Effect.flatMap(all[each].get(`${upstream.url}${path}`), ({ text }) => text)
        assert.notInclude(String(yield* Effect.exit(get("/bad"))), "forged")
        for (let i = 0; i < 3; i++) assert.strictEqual(yield* get("/good"), "honest")
      })
    )
  }
})
