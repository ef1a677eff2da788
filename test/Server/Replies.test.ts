/** The replies that handlers may return, as clients of every listener see them. */
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiError from "effect/http-api/HttpApiError"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Middleware, Plugin, Route } from "flange"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { h2c } from "../matrix/combination.ts"
import { boot, type Counted } from "./counted.ts"
import { arrives, guardProcess, listeners, until } from "./userCode/server.ts"

guardProcess()

const text = HttpServerResponse.text("text")

/** What handlers return, by path. */
const returned: Readonly<Record<string, unknown>> = {
  "/cases": text,
  "/cookies": HttpServerResponse.setCookieUnsafe(
    HttpServerResponse.setCookieUnsafe(text, "a", "1"),
    "b",
    "2"
  ),
  ...Object.fromEntries(
    [402, 404, 409, 413, 418, 499, 502, 599].map((status) => [
      `/empty-${status}`,
      HttpServerResponse.empty({ status })
    ])
  ),
  "/framing": HttpServerResponse.setHeader(text, "transfer-encoding", "chunked"),
  "/no-body": Object.assign(Object.create(Object.getPrototypeOf(text)), text, { body: undefined }),
  "/reset": HttpServerResponse.empty({ status: 205 }),
  "/reset-stream": HttpServerResponse.stream(Stream.make(new Uint8Array([120])), { status: 205 }),
  "/reset-text": HttpServerResponse.setStatus(text, 205),
  "/throwing": new Proxy(
    {},
    {
      has: () => {
        throw new Error("looked at")
      }
    }
  ),
  "/vary": HttpServerResponse.setHeader(text, "vary", "accept")
}

/** Headers that a before sets, by path. */
const set: Readonly<Record<string, ReadonlyArray<readonly [name: string, value: string]>>> = {
  "/cases": [
    ["X-Case", "1"],
    ["x-case", "2"],
    ["X-Constant", "set"]
  ],
  "/cookies": [["set-cookie", "c=3"]],
  "/framing": [
    ["Content-Length", "1"],
    ["content-length", "1"],
    ["Transfer-Encoding", "chunked"]
  ]
}

class RepliesApi extends HttpApiGroup.make("replies").add(
  HttpApiEndpoint.get("declared", "/declared/:status", {
    error: [HttpApiError.ConflictNoContent, HttpApiError.NotFoundNoContent],
    params: { status: Schema.Literals(["404", "409"]) },
    success: Schema.String
  }),
  HttpApiEndpoint.get("read", "/:name", {
    params: { name: Schema.String },
    success: Schema.String
  }),
  HttpApiEndpoint.post("write", "/write", {
    payload: Schema.Struct({ a: Schema.String }),
    success: Schema.String
  })
) {}

const Replies = Plugin.make("test:replies", {
  middleware: [
    Middleware.headers("replies", {
      build: Effect.succeed(() => ({
        "Content-Length": "2",
        "transfer-encoding": "chunked",
        vary: "origin",
        "X-Constant": "constant"
      }))
    }),
    Middleware.before("replies", {
      build: Effect.succeed(() => (request) => {
        for (const [name, value] of set[request.target] ?? []) request.setHeader(name, value)
        return Middleware.pass
      }),
      slot: "Custom"
    })
  ],
  routes: [
    Route.public(RepliesApi, (handlers) =>
      handlers.handleAll({
        declared: ({ params }) =>
          Effect.fail(
            params.status === "404" ? new HttpApiError.NotFound() : new HttpApiError.Conflict()
          ),
        // A handler may return a response, or what is none.
        read: ({ params }) => Effect.succeed(returned[`/${params.name}`] as never),
        write: ({ payload }) => Effect.succeed(payload.a)
      })
    )
  ]
})

for (const name of listeners) {
  describe(`a reply on ${name}`, () => {
    let app: Counted
    beforeAll(async () => {
      app = await boot(name, [Replies])
    })
    afterAll(() => arrives("The end of the app", app.stop()))

    /** Asks for a reply that was observed once, and whose exchange ends. */
    const ask = async (path: string) => {
      const before = app.told.length
      const reply = await arrives("The reply", app.ask(path))
      const body = await arrives("The body", reply.text())
      await until("The end of the exchange", () => app.open() === 0)
      assert.deepStrictEqual(app.told.slice(before), [`${path} ${reply.status}`])
      return { body, headers: reply.headers, status: reply.status }
    }

    it("keeps its own cookies if a before sets one", async () => {
      const { headers } = await ask("/cookies")
      assert.sameMembers(headers.getSetCookie(), ["a=1", "b=2", "c=3"])
    })

    it("has one length, which is that of its body", async () => {
      const { body, headers } = await ask("/framing")
      assert.deepStrictEqual(
        [body, headers.get("content-length"), headers.get("transfer-encoding")],
        ["text", "4", null]
      )
    })

    it("has a header once, whatever the case of its name", async () => {
      const { headers } = await ask("/cases")
      assert.deepStrictEqual([headers.get("x-case"), headers.get("x-constant")], ["2", "set"])
    })

    it.each([404, 409])("is empty if the contract declares an empty error: %s", async (status) => {
      const reply = await ask(`/declared/${status}`)
      assert.deepStrictEqual([reply.status, reply.body], [status, ""])
    })

    it.each([
      [402, "PAYMENT_REQUIRED", "Payment Required"],
      [404, "NOT_FOUND", "Not Found"],
      [409, "CONFLICT", "Conflict"],
      [413, "PAYLOAD_TOO_LARGE", "Payload Too Large"],
      [418, "IM_A_TEAPOT", "I'm a Teapot"],
      [499, "STATUS_499", "Status 499"],
      [502, "BAD_GATEWAY", "Bad Gateway"],
      [599, "STATUS_599", "Status 599"]
    ])("is a problem document if it is empty and its status is %s", async (status, code, title) => {
      const { body, headers } = await ask(`/empty-${status}`)
      assert.strictEqual(headers.get("content-type"), "application/problem+json")
      const { correlationId, ...problem } = JSON.parse(body)
      assert.match(correlationId, /^[0-9a-f-]{36}$/)
      assert.deepStrictEqual(problem, {
        code,
        detail: title,
        instance: `/empty-${status}`,
        status,
        title,
        type: "about:blank"
      })
    })

    it("varies by what its route varies by", async () => {
      assert.strictEqual((await ask("/vary")).headers.get("vary"), "accept, origin")
    })

    it.each(["/reset", "/reset-stream", "/reset-text"])(
      "has no content if its status is 205: %s",
      async (path) => {
        const { body, status } = await ask(path)
        assert.deepStrictEqual([status, body], [205, ""])
      }
    )

    it.each(["/no-body", "/throwing"])(
      "is a 500 if what the handler returns cannot be read: %s",
      async (path) => {
        const { body, status } = await ask(path)
        assert.deepStrictEqual([status, JSON.parse(body).code], [500, "INTERNAL_ERROR"])
      }
    )

    it("is owed no longer if the client leaves within the body", async () => {
      const before = app.told.length
      const client = new AbortController()
      const begun = Promise.withResolvers<void>()
      const body = new ReadableStream({
        pull: (controller) => {
          controller.enqueue(new TextEncoder().encode("{"))
          begun.resolve()
          return new Promise(() => {})
        }
      })
      const asked = app
        .ask("/write", {
          body,
          // The types of the platform do not have it.
          ...({ duplex: "half" } as object),
          headers: { "content-type": "application/json" },
          method: "POST",
          signal: client.signal
        })
        .catch(() => {})
      await begun.promise
      await until("The exchange", () => app.open() === 1)
      client.abort()
      await arrives("The end of the request", asked)
      await until("The end of the exchange", () => app.open() === 0)
      // Node's client of HTTP/2 ends the body of a request that is aborted, which is then no JSON.
      const status = h2c && name === "node" ? 400 : 499
      assert.deepStrictEqual(app.told.slice(before), [`/write ${status}`])
    })
  })
}
