// The admin port has the protections of the listener that the app has.
import * as Net from "node:net"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { App, ErrorEnvelope } from "flange"
import * as Admin from "flange/Admin"
import { TestApp } from "flange/Testing"
import { app, values } from "./fixture.ts"

/** Sends bytes on a connection, and returns all that comes back. */
const send = (url: string, text: string) =>
  Effect.callback<string>((resume) => {
    const { hostname, port } = new URL(url)
    let reply = ""
    const socket = Net.connect(Number(port), hostname, () => socket.write(text))
    socket.on("data", (chunk) => (reply += chunk.toString()))
    socket.on("error", () => {})
    socket.on("close", () => resume(Effect.succeed(reply)))
  })

const head = (line: string, ...fields: ReadonlyArray<string>) =>
  [line, "Host: 127.0.0.1", "Connection: close", ...fields, "", ""].join("\r\n")

const cases: ReadonlyArray<readonly [what: string, request: string, status: number, code: string]> =
  [
    ["no Host", "GET /info HTTP/1.1\r\nConnection: close\r\n\r\n", 400, "MALFORMED_REQUEST"],
    [
      "two lengths",
      head("POST /drain HTTP/1.1", "Content-Length: 2", "Content-Length: 3") + "{}",
      400,
      "MALFORMED_REQUEST"
    ],
    [
      "a length and chunks",
      head("POST /drain HTTP/1.1", "Content-Length: 2", "Transfer-Encoding: chunked") + "{}",
      400,
      "MALFORMED_REQUEST"
    ],
    [
      "a long head",
      head("GET /info HTTP/1.1", `X: ${"x".repeat(20_000)}`),
      431,
      "HEADERS_TOO_LARGE"
    ],
    ["CONNECT", head("CONNECT example.com:443 HTTP/1.1"), 501, "NOT_IMPLEMENTED"],
    [
      "a body without end",
      head("POST /drain HTTP/1.1", "Content-Type: application/json", "Content-Length: 99999999"),
      413,
      "PAYLOAD_TOO_LARGE"
    ],
    [
      "a body that is no JSON",
      head("POST /drain HTTP/1.1", "Content-Type: application/json", "Content-Length: 1") + "{",
      400,
      "MALFORMED_REQUEST"
    ],
    [
      "the key __proto__",
      head("POST /actions/fill HTTP/1.1", "Content-Type: application/json", "Content-Length: 16") +
        '{"__proto__": 1}',
      400,
      "MALFORMED_REQUEST"
    ]
  ]

describe("a hostile request to the admin port", () => {
  it.live.each(cases)("with %s is refused with a problem document", ([, request, status, code]) =>
    Effect.gen(function* () {
      const test = yield* TestApp.listening(app, { values })
      const reply = yield* send(test.port("admin").url, request)
      expect(reply.slice(0, reply.indexOf("\r\n"))).toContain(`HTTP/1.1 ${status}`)
      expect(reply).toContain("application/problem+json")
      expect(reply).toContain(`"code":"${code}"`)
      ;(yield* test.port("admin").get("/info")).expectStatus(200)
    })
  )

  it.live("the app's own form of errors does not change those of the port", () =>
    Effect.gen(function* () {
      const errors = ErrorEnvelope.make({
        decode: ({ error }) => ({ code: error, detail: error }),
        encode: ({ code }) => ({ error: code }),
        schema: Schema.Struct({ error: Schema.String })
      })
      const enveloped = App.make("enveloped", [Admin.plugin], { errors })
      const test = yield* TestApp.listening(enveloped)
      ;(yield* test.get("/info")).expectStatus(404).expectJson({ error: "ROUTE_NOT_FOUND" })
      const port = test.port("admin")
      ;(yield* port.get("/nothing")).expectProblem("ADMIN_PATH_NOT_FOUND", 404)
      const { runAction } = yield* port.client(Admin.AdminApi)
      const error = yield* Effect.flip(runAction({ params: { name: "x" }, payload: {} }))
      expect(error._tag).toBe("AdminActionNotFound")
    })
  )
})
