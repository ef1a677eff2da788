import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import { Middleware } from "flange"
import { assert, describe, it } from "vitest"
import { both, type Reply } from "./codecs.ts"
import { appWith, before, json, wrap } from "./codecsApi.ts"

/** Sets headers of the reply, in pairs. */
const sets = (...headers: ReadonlyArray<readonly [string, string]>) =>
  before((request) => {
    for (const [name, value] of headers) request.setHeader(name, value)
    return Middleware.pass
  })

const constant = (headers: Readonly<Record<string, string>>) =>
  Middleware.headers("constant", { build: Effect.succeed(() => headers) })

/** The headers of the reply to a request, the same with both codecs. */
const headersOf = (
  path: string,
  middleware: ReadonlyArray<Middleware.Middleware<never, never>>,
  init?: RequestInit
) =>
  both(
    () => appWith(...middleware),
    async ({ send }) => (await send(path, init)).headers
  )

const between = [[], [wrap((next) => next)]]

describe("a header that a before sets", () => {
  it("is on every reply, whoever makes it", async () => {
    for (const wraps of between) {
      for (const [path, status, init] of [
        ["/text/ada", 200],
        ["/text/ada", 200, { method: "HEAD" }],
        ["/conflict", 409],
        ["/defect", 500],
        ["/reply", 200],
        ["/stream", 200],
        ["/write", 200, json("a")],
        ["/write", 400, { ...json("a"), body: "{" }],
        ["/write", 413, json("a".repeat(100))],
        ["/write", 415, json("a", { "content-type": "text/plain" })],
        ["/nowhere", 404]
      ] as const) {
        const reply = await both(
          () => appWith(sets(["x-outer", "a"]), ...wraps, sets(["x-inner", "b"])),
          ({ send }) => send(path, init)
        )
        assert.strictEqual(reply.status, status, path)
        assert.deepInclude(
          reply.headers,
          { "x-inner": "b", "x-outer": "a", "x-request-id": "r-1" },
          path
        )
      }
    }
  })

  it("is on the reply of a before, its own or another's", async () => {
    const answers = before((request) => {
      request.setHeader("x-own", "c")
      return Effect.succeed(HttpServerResponse.text("no", { headers: { "x-own": "text" } }))
    })
    for (const wraps of between) {
      const headers = await headersOf("/text/ada", [sets(["x-outer", "a"]), ...wraps, answers])
      assert.deepInclude(headers, { "x-outer": "a", "x-own": "c" })
    }
  })

  it("takes the place of a constant one and of the handler's own", async () => {
    const middleware = [
      constant({ "x-constant": "constant", "x-own": "constant", "x-rest": "constant" }),
      sets(["x-constant", "before"])
    ]
    assert.deepInclude(await headersOf("/text/ada", middleware), {
      "x-constant": "before",
      "x-own": "constant",
      "x-rest": "constant"
    })
    assert.deepInclude(await headersOf("/reply", middleware), {
      "x-constant": "before",
      "x-own": "handler",
      "x-rest": "constant"
    })
    assert.deepInclude(await headersOf("/reply", [sets(["x-own", "before"])]), {
      "x-own": "before"
    })
  })

  it("is there once, as the later has set it", async () => {
    for (const path of ["/text/ada", "/conflict", "/reply", "/stream"]) {
      for (const wraps of between) {
        const headers = await headersOf(path, [
          sets(["x-own", "1"], ["x-own", "2"]),
          ...wraps,
          sets(["x-own", "3"])
        ])
        assert.strictEqual(headers["x-own"], "3", path)
      }
    }
  })

  it("may be the type of the reply, and is not its id", async () => {
    const headers = await headersOf("/text/ada", [
      sets(["content-type", "text/plain"], ["x-request-id", "mine"])
    ])
    assert.deepInclude(headers, { "content-type": "text/plain", "x-request-id": "r-1" })
  })

  it("that cannot be sent makes the reply a 500", async () => {
    const unsendable = () =>
      appWith(
        constant({ "x-constant": "yes" }),
        before((request) => {
          request.setHeader("x-set", decodeURIComponent(request.header("x-wanted") ?? ""))
          return Middleware.pass
        })
      )
    for (const place of ["memory", "node", "proxied"] as const) {
      const replies = await both(
        unsendable,
        async ({ send, told }) => {
          const replies: Array<Reply> = []
          for (const path of ["/text/ada", "/conflict", "/stream"]) {
            for (const wanted of ["a\nb", "a\u0000", "\u20ac"]) {
              const headers = { "x-wanted": encodeURIComponent(wanted) }
              replies.push(await send(path, { headers }))
            }
          }
          return { replies, told }
        },
        place
      )
      for (const { body, headers } of replies.replies) {
        assert.strictEqual(JSON.parse(body).code, "INTERNAL_ERROR")
        assert.deepInclude(headers, { "x-constant": "yes", "x-request-id": "r-1" })
        assert.isUndefined(headers["x-set"])
      }
      assert.isTrue(replies.told.every(({ status }) => status === 500))
    }
  })

  it("joins what the reply varies by, each name once", async () => {
    const vary = [sets(["vary", "Origin"]), sets(["vary", "Cookie"], ["vary", "origin"])]
    for (const [path, expected] of [
      ["/text/ada", "Origin, Cookie"],
      ["/conflict", "Origin, Cookie"],
      ["/reply", "Accept, Origin, Cookie"],
      ["/stream", "Origin, Cookie"]
    ] as const) {
      assert.strictEqual((await headersOf(path, vary))["vary"], expected, path)
    }
    assert.strictEqual((await headersOf("/reply", [sets(["vary", "accept"])]))["vary"], "Accept")
  })
})

describe("the reply of a before", () => {
  it("is a problem document where it says nothing itself", async () => {
    for (const middleware of [
      [before(() => Effect.succeed(HttpServerResponse.empty({ status: 503 })))],
      [before(() => Effect.delay(Effect.succeed(HttpServerResponse.empty({ status: 503 })), 1))],
      [wrap(() => Effect.succeed(HttpServerResponse.empty({ status: 503 })))]
    ]) {
      for (const path of ["/text/ada", "/nowhere"]) {
        const reply = await both(
          () => appWith(...middleware),
          ({ send }) => send(path)
        )
        const { code, correlationId, instance } = JSON.parse(reply.body)
        assert.deepStrictEqual(
          [reply.status, code, correlationId, instance],
          [503, "SERVICE_UNAVAILABLE", "r-1", path]
        )
        assert.strictEqual(reply.headers["content-type"], "application/problem+json")
      }
    }
  })

  it("may be a stream, and stays what it is otherwise", async () => {
    const stream = HttpServerResponse.stream(
      Stream.make(new TextEncoder().encode("a"), new TextEncoder().encode("b")),
      { contentType: "text/plain", status: 202 }
    )
    const { headers, ...reply } = await both(
      () =>
        appWith(
          sets(["x-set", "yes"]),
          before(() => Effect.succeed(stream))
        ),
      ({ send }) => send("/text/ada")
    )
    // Only HTTP/1.1 has chunks.
    const { "transfer-encoding": _, ...others } = headers
    assert.deepStrictEqual(reply, { body: "ab", status: 202 })
    assert.deepStrictEqual(others, {
      "content-type": "text/plain",
      "x-request-id": "r-1",
      "x-set": "yes"
    })
  })
})

describe("a handler that HttpEffect runs before a reply is sent", () => {
  const registers = (handler: HttpEffect.PreResponseHandler) =>
    wrap((next) =>
      Effect.withFiber((fiber) => {
        HttpEffect.appendPreResponseHandlerUnsafe(fiber.context, handler)
        return next
      })
    )

  it("sees the reply with all its headers, and its own stand", async () => {
    for (const path of ["/text/ada", "/conflict", "/reply", "/stream"]) {
      const headers = await headersOf(path, [
        constant({ "x-constant": "a", "x-other": "a" }),
        sets(["x-set", "b"]),
        registers((_request, response) =>
          Effect.succeed(
            HttpServerResponse.setHeaders(response, {
              "x-other": "c",
              "x-saw": ["x-constant", "x-request-id", "x-set"]
                .map((name) => response.headers[name])
                .join()
            })
          )
        )
      ])
      assert.deepInclude(headers, { "x-constant": "a", "x-other": "c", "x-saw": "a,r-1,b" }, path)
    }
  })
})
