import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import { Middleware } from "flange"
import { assert, describe, it } from "vitest"
import { both } from "./codecs.ts"
import { appWith, before, json, wrap } from "./codecsApi.ts"

const refusing = before((request) =>
  request.header("x-pass") === undefined
    ? Effect.succeed(HttpServerResponse.text("refused", { status: 401 }))
    : Middleware.pass
)

/** Looks at the request and leaves it alone. */
const asks = before(({ request }) =>
  request.headers["x-none"] === undefined ? Middleware.pass : Effect.die("asked")
)

const pass = { "x-pass": "yes" }

const between = [[], [wrap((next) => next)]]

describe("a before of a route with a body", () => {
  it("refuses a request whose body nobody has read", async () => {
    for (const wraps of between) {
      for (const slow of [[], [before(() => Effect.as(Effect.sleep(1), undefined))]]) {
        const result = await both(
          () => appWith(...wraps, ...slow, refusing),
          async ({ send }) => {
            let read = 0
            const body = new ReadableStream(
              {
                pull: (controller) => {
                  read++
                  controller.enqueue(new TextEncoder().encode('{"text":"a"}'))
                  controller.close()
                }
              },
              { highWaterMark: 0 }
            )
            const init: RequestInit = { ...json("a"), body, duplex: "half" }
            return [(await send("/write", init)).status, read]
          },
          // A client with a socket reads the body to send it.
          "memory"
        )
        assert.deepStrictEqual(result, [401, 0])
      }
    }
  })

  it("is asked before the length and the type of the body are looked at", async () => {
    const long = json("a".repeat(100))
    const announced = json("a", { "content-length": "1000" })
    const text = json("a", { "content-type": "text/plain" })
    const broken = { ...json("a"), body: "{" }
    for (const wraps of between) {
      const statuses = await both(
        () => appWith(...wraps, refusing),
        async ({ send }) => {
          const both: Array<ReadonlyArray<number>> = []
          for (const init of [long, announced, text, broken, json("a")]) {
            both.push([
              (await send("/write", init)).status,
              (await send("/write", { ...init, headers: { ...init.headers, ...pass } })).status
            ])
          }
          return both
        },
        // A client with a socket sends no other length than it announces.
        "memory"
      )
      assert.deepStrictEqual(statuses, [
        [401, 413],
        [401, 413],
        [401, 415],
        [401, 400],
        [401, 200]
      ])
    }
  })

  it("lets the reply to a body that is announced as too long end the connection", async () => {
    const { headers } = await both(
      () => appWith(before(() => Middleware.pass)),
      ({ send }) => send("/write", json("a", { "content-length": "1000" })),
      // A client with a socket sends no other length than it announces.
      "memory"
    )
    assert.strictEqual(headers["connection"], "close")
  })

  it("may read the body itself, and so may the handler", async () => {
    const reads = before((request) =>
      Effect.map(Effect.orDie(request.request.text), (text) => {
        request.setHeader("x-text", text)
        return undefined
      })
    )
    for (const wraps of between) {
      for (const readers of [[reads], [reads, reads], [asks, reads]]) {
        const reply = await both(
          () => appWith(...wraps, ...readers),
          ({ send }) => send("/echo", json("a"))
        )
        assert.deepStrictEqual(
          [reply.status, reply.headers["x-text"], reply.body],
          [200, '{"text":"a"}', '"a {\\"text\\":\\"a\\"}"']
        )
      }
    }
  })

  it("may read it as a stream", async () => {
    const reads = before((request) =>
      Effect.map(Effect.orDie(Stream.mkString(Stream.decodeText(request.request.stream))), (text) =>
        HttpServerResponse.text(text)
      )
    )
    const reply = await both(
      () => appWith(reads),
      ({ send }) => send("/echo", json("a"))
    )
    assert.strictEqual(reply.body, '{"text":"a"}')
  })

  it("is not given more of it than the route takes", async () => {
    const reads = before((request) => Effect.as(Effect.orDie(request.request.text), undefined))
    for (const wraps of between) {
      const reply = await both(
        () => appWith(...wraps, reads),
        ({ send }) => send("/write", json("a".repeat(100)))
      )
      assert.strictEqual(reply.status, 413)
      assert.strictEqual(JSON.parse(reply.body).code, "PAYLOAD_TOO_LARGE")
    }
  })

  it("leaves the body to others where it asks for the request alone", async () => {
    for (const wraps of between) {
      const { body } = await both(
        () => appWith(...wraps, asks),
        ({ send }) => send("/echo", json("a"))
      )
      assert.strictEqual(body, '"a {\\"text\\":\\"a\\"}"')
    }
  })
})
