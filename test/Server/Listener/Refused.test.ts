/** Replies to clients that are still sending, on the listeners that have sockets. */
import * as Http from "node:http"
import * as Net from "node:net"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import { BodyLimit, Plugin, Route } from "flange"
import * as Auth from "flange/Auth"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { boot, type Counted } from "../counted.ts"
import { guardProcess, until } from "../userCode/server.ts"
import { replies } from "./Proxied/rig.ts"

guardProcess()

class OpenApi extends HttpApiGroup.make("open").add(
  HttpApiEndpoint.post("json", "/json", {
    payload: Schema.Struct({ name: Schema.String }),
    success: Schema.String
  }),
  HttpApiEndpoint.post("short", "/short", {
    payload: Schema.Json,
    success: Schema.String
  }).annotate(BodyLimit, 1024),
  HttpApiEndpoint.post("unread", "/unread", { success: Schema.String })
) {}

class SecretApi extends HttpApiGroup.make("secret").add(
  HttpApiEndpoint.post("secret", "/secret", { payload: Schema.Json, success: Schema.String })
) {}

const RefusedPlugin = Plugin.make("test:refused", {
  routes: [
    Route.public(OpenApi, (handlers) =>
      handlers.handleAll({
        json: ({ payload }) => Effect.succeed(payload.name),
        short: () => Effect.succeed("well"),
        unread: () => Effect.succeed("well")
      })
    ),
    Route.protected(SecretApi, (handlers) =>
      handlers.handleAll({ secret: () => Effect.succeed("well") })
    ),
    Route.raw("raw", HttpRouter.add("POST", "/raw", HttpServerResponse.text("well")), {
      access: "public"
    })
  ]
})

const AuthPlugin = Auth.plugin({ default: Auth.chain([Auth.bearer([])]) })

const body = Buffer.alloc(4 * 1024 * 1024, 0x20)

/** How many clients send each request at once, and how often. `DRILLS=full` sends more. */
const { atOnce, times } =
  process.env["DRILLS"] === "full" ? { atOnce: 4, times: 3 } : { atOnce: 2, times: 1 }

const json = { "content-type": "application/json" }

/** What a request with a long body is answered with, before the body is read. */
const cases: ReadonlyArray<
  readonly [path: string, headers: Record<string, string>, status: number]
> = [
  ["/json", { "content-type": "text/plain" }, 415],
  ["/json", { ...json, host: "a b" }, 400],
  ["/nowhere", json, 404],
  ["/raw", json, 200],
  ["/secret", json, 401],
  ["/short", json, 413],
  ["/unread", json, 200]
]

/** Sends a request with `node:http`, and counts `100 Continue`. */
const ask = (url: string, headers: Record<string, string>, waits = false) =>
  new Promise<{ readonly continued: number; readonly status: number }>((resolve, reject) => {
    let continued = 0
    const request = Http.request(url, { agent: false, headers, method: "POST" })
    request.on("continue", () => {
      continued++
      if (waits) request.end(body)
    })
    request.on("error", reject)
    request.on("response", (response) => {
      response.resume()
      response.on("error", reject)
      response.on("end", () => {
        request.destroy()
        resolve({ continued, status: response.statusCode! })
      })
    })
    if (waits) request.flushHeaders()
    else request.end(body)
  })

type Ask = (
  url: string,
  headers: Record<string, string>
) => Promise<{ readonly continued?: number; readonly status: number }>

const length = { "content-length": String(body.length) }

const clients: ReadonlyArray<readonly [name: string, ask: Ask]> = [
  [
    "fetch",
    async (url, headers) => {
      const response = await fetch(url, { body, headers, method: "POST" })
      await response.arrayBuffer()
      return response
    }
  ],
  ["node:http with a length", (url, headers) => ask(url, { ...headers, ...length })],
  [
    "node:http in chunks",
    (url, headers) => ask(url, { ...headers, "transfer-encoding": "chunked" })
  ],
  [
    "node:http with a length that does not wait for 100 Continue",
    (url, headers) => ask(url, { ...headers, ...length, expect: "100-continue" })
  ],
  [
    "node:http with a length that waits for 100 Continue",
    (url, headers) => ask(url, { ...headers, ...length, expect: "100-continue" }, true)
  ],
  // A client that reads only when it has sent everything.
  [
    "a socket that is written before it is read",
    (url, headers) =>
      new Promise((resolve, reject) => {
        const { hostname, pathname, port } = new URL(url)
        const fields = Object.entries({ host: "a", ...headers, ...length })
        const socket = Net.connect(Number(port), hostname)
        let received = ""
        socket.pause()
        socket.on("data", (bytes) => (received += bytes))
        socket.on("error", reject)
        socket.on("close", () => resolve(replies(received)[0]!))
        socket.write(
          `POST ${pathname} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`
        )
        socket.end(body, () => socket.resume())
      })
  ]
]

for (const name of ["node", "proxied"] as const) {
  describe(`a client of ${name} that is still sending`, () => {
    let app: Counted
    beforeAll(async () => {
      app = await boot(name, [AuthPlugin, RefusedPlugin])
    })
    afterAll(() => app.stop())

    describe.each(clients)("%s", (client, ask) => {
      it.each(cases)(
        `POST %s %o is answered with %i, ${atOnce} at once, ${times} in a row`,
        async (path, headers, status) => {
          // `fetch` sends its own.
          if (client === "fetch" && "host" in headers) return
          const attempts = Array.from({ length: atOnce }, async () => {
            for (let i = 0; i < times; i++) {
              const reply = await ask(app.url + path, headers)
              assert.strictEqual(reply.status, status)
              assert.strictEqual(reply.continued ?? 0, 0)
            }
          })
          await Promise.all(attempts)
        }
      )
    })

    it("leaves no exchange behind", () => until("The end", () => app.open() === 0))
  })
}
