/** The spans of a request and of its handler, on each listener and for each end of a request. */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import { isSocketError } from "effect/socket/Socket"
import * as Stream from "effect/Stream"
import { Middleware, Plugin, Route } from "flange"
import { ApiError } from "flange/Contract"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { h2c } from "../../matrix/combination.ts"
import { attributesOf, failureOf, type Kept, kept, parentOf } from "../../tracing.ts"
import { boot, type Counted } from "../counted.ts"
import { arrives, guardProcess, listeners, until } from "../userCode/server.ts"

guardProcess()

class Missing extends ApiError.make<Missing>()("Missing", {
  code: "ITEM_MISSING",
  detail: "There is no such item",
  status: 404
}) {}

class Away extends ApiError.make<Away>()("Away", {
  code: "SHOP_AWAY",
  detail: "The shop is away",
  status: 503
}) {}

const success = Schema.String

class ItemsApi extends HttpApiGroup.make("items").add(
  HttpApiEndpoint.get("away", "/away", { error: Away, success }),
  HttpApiEndpoint.get("badHeader", "/bad-header", { success }),
  HttpApiEndpoint.get("broken", "/broken", { success }),
  HttpApiEndpoint.get("defect", "/defect", { success }),
  HttpApiEndpoint.get("missing", "/missing", { error: Missing, success }),
  HttpApiEndpoint.get("read", "/items/:id", { params: { id: Schema.Int }, success }),
  HttpApiEndpoint.get("refused", "/refused", { success }),
  HttpApiEndpoint.get("stream", "/stream", { success }),
  HttpApiEndpoint.get("synchronous", "/synchronous", { success }),
  HttpApiEndpoint.get("waiting", "/waiting", { success }),
  HttpApiEndpoint.post("write", "/items", { payload: Schema.Struct({ a: success }), success })
) {}

class SocketsApi extends HttpApiGroup.make("sockets").add(
  HttpApiEndpoint.get("socket", "/socket")
) {}

class LiveApi extends HttpApiGroup.make("live").add(HttpApiEndpoint.get("live", "/live")) {}

let door: Deferred.Deferred<void>
let arrived: number

const later = <A>(value: A) => Effect.as(Effect.yieldNow, value)

const bytes = (text: string) => new TextEncoder().encode(text)

const streamed = (stream: Stream.Stream<Uint8Array, unknown>) =>
  // A handler may return a response.
  later(HttpServerResponse.stream(stream) as never)

const ItemsPlugin = Plugin.make("test:items", {
  middleware: [
    Middleware.before("refusing", {
      build: Effect.succeed(({ path }) =>
        path === "/refused"
          ? () => Effect.succeed(HttpServerResponse.empty({ status: 503 }))
          : path === "/bad-header"
            ? (request) => {
                request.setHeader("x-bad", "a\r\nb: c")
                return Middleware.pass
              }
            : undefined
      ),
      slot: "Custom"
    })
  ],
  routes: [
    Route.public(ItemsApi, (handlers) =>
      handlers.handleAll({
        away: () => Effect.andThen(later(0), new Away()),
        badHeader: () => later("never sent"),
        broken: () =>
          streamed(Stream.concat(Stream.make(bytes("a")), Stream.die(new Error("torn")))),
        defect: () => Effect.andThen(later(0), Effect.die(new Error("unforeseen"))),
        missing: () => Effect.andThen(later(0), new Missing()),
        read: ({ params }) => Effect.withSpan(later(String(params.id)), "inside"),
        refused: () => later("never called"),
        stream: () =>
          streamed(
            Stream.concat(
              Stream.make(bytes("a")),
              Stream.fromEffect(Effect.as(Deferred.await(door), bytes("b")))
            )
          ),
        synchronous: () => Effect.succeed("at once"),
        waiting: () =>
          Effect.suspend(() => {
            arrived++
            return Effect.as(Deferred.await(door), "waited")
          }),
        write: ({ payload }) => later(payload.a)
      })
    ),
    Route.public(SocketsApi, (handlers) =>
      handlers.handleRaw("socket", ({ request }) =>
        Effect.gen(function* () {
          const { reader } = yield* request.upgrade
          const { pull } = yield* reader
          arrived++
          return yield* Effect.forever(pull)
        }).pipe(
          Effect.scoped,
          Effect.catch((error) => (isSocketError(error) ? Effect.void : Effect.die(error)))
        )
      )
    ),
    Route.bare(LiveApi, (handlers) => handlers.handleAll({ live: () => Effect.void }))
  ]
})

const clean = (attributes: Record<string, unknown>) => {
  const { annotations: _, ...others } = attributes
  return others
}

describe.each(listeners)("the spans of a request on %s", (name) => {
  let app: Counted
  let tracing: Kept
  beforeEach(async () => {
    arrived = 0
    door = Deferred.makeUnsafe()
    tracing = kept()
    app = await boot(name, [tracing.plugin, ItemsPlugin])
  })
  afterEach(() => arrives("The end of the app", app.stop()))

  const idle = () => until("The end of the exchanges", () => app.open() === 0)

  /** Sends a request, and returns the attributes of its span. */
  const asked = async (path: string, init?: RequestInit) => {
    const before = tracing.spans.length
    const reply = await app.ask(path, init).catch(() => undefined)
    await reply?.text().catch(() => "")
    await idle()
    const span = tracing.spans[before]!
    return { attributes: clean(attributesOf(span)), failure: failureOf(span), reply, span }
  }

  const everyOneEndedOnce = () =>
    assert.deepStrictEqual(
      tracing.spans.filter(({ ends }) => ends !== 1).map((span) => span.name),
      []
    )

  it("have the names and attributes of the conventions", async () => {
    const { attributes, failure, reply, span } = await asked("/items/7?verbose=yes", {
      headers: { "user-agent": "test/1.0", "x-request-id": "r-1" }
    })
    assert.strictEqual(reply?.status, 200)
    const { hostname, port } = new URL(app.url)
    const isInMemory = name === "web"
    assert.deepStrictEqual(attributes, {
      ...(isInMemory
        ? {}
        : {
            "client.address": "127.0.0.1",
            "network.peer.address": "127.0.0.1",
            "network.protocol.version": h2c && name === "node" ? "2" : "1.1",
            "server.port": Number(port)
          }),
      "http.request.method": "GET",
      "http.response.status_code": 200,
      "http.route": "/items/:id",
      requestId: "r-1",
      "server.address": hostname,
      "url.path": "/items/7",
      "url.query": "verbose=yes",
      "url.scheme": "http",
      "user_agent.original": "test/1.0"
    })
    assert.isUndefined(failure)
    assert.strictEqual(span.kind, "server")
    const handler = tracing.named("items.read")
    assert.deepStrictEqual([handler.kind, parentOf(handler)], ["internal", span.spanId])
    assert.strictEqual(parentOf(tracing.named("inside")), handler.spanId)
    assert.deepStrictEqual(
      tracing.spans.map((one) => one.name),
      ["GET /items/:id", "items.read", "inside"]
    )
    everyOneEndedOnce()
  })

  it("of a handler that returns at once is the request's alone", async () => {
    await asked("/synchronous")
    assert.deepStrictEqual(
      tracing.spans.map((one) => one.name),
      ["GET /synchronous"]
    )
  })

  it("of a HEAD request have its method and the route of the GET", async () => {
    const { attributes } = await asked("/items/7", { method: "HEAD" })
    assert.strictEqual(tracing.spans[0]!.name, "HEAD /items/:id")
    assert.strictEqual(attributes["http.request.method"], "HEAD")
    assert.strictEqual(attributes["http.route"], "/items/:id")
    everyOneEndedOnce()
  })

  it("of an unknown route has no route, and a bare route has none", async () => {
    assert.strictEqual((await app.ask("/live")).status, 204)
    assert.lengthOf(tracing.spans, 0)
    const { attributes, span } = await asked("/nowhere")
    assert.strictEqual(span.name, "GET")
    assert.notProperty(attributes, "http.route")
    assert.strictEqual(attributes["http.response.status_code"], 404)
    everyOneEndedOnce()
  })

  it("of an unknown method is HTTP, and keeps the method", async () => {
    const { attributes, span } = await asked("/items/7", { method: "PROPFIND" })
    assert.strictEqual(span.name, "HTTP")
    assert.strictEqual(attributes["http.request.method"], "_OTHER")
    assert.strictEqual(attributes["http.request.method_original"], "PROPFIND")
  })

  it("of an error of the contract below 500 does not fail, and has the error's code", async () => {
    const { attributes, failure } = await asked("/missing")
    assert.isUndefined(failure)
    assert.notProperty(attributes, "error.type")
    const handler = tracing.named("items.missing")
    assert.isUndefined(failureOf(handler))
    assert.strictEqual(handler.attributes.get("error.type"), "ITEM_MISSING")
    everyOneEndedOnce()
  })

  it("of an error of the contract from 500 on fails with it", async () => {
    const { attributes, failure } = await asked("/away")
    assert.strictEqual(attributes["error.type"], "SHOP_AWAY")
    assert.instanceOf(Cause.squash(failure!), Away)
    const handler = tracing.named("items.away")
    assert.instanceOf(Cause.squash(failureOf(handler)!), Away)
    assert.strictEqual(handler.attributes.get("error.type"), "SHOP_AWAY")
    everyOneEndedOnce()
  })

  it("of a defect fails with it", async () => {
    const { attributes, failure } = await asked("/defect")
    assert.strictEqual(attributes["http.response.status_code"], 500)
    assert.strictEqual(attributes["error.type"], "INTERNAL_ERROR")
    assert.strictEqual((Cause.squash(failure!) as Error).message, "unforeseen")
    everyOneEndedOnce()
  })

  it("of a reply from 500 on that nothing has failed for fails with its status", async () => {
    const { attributes, failure } = await asked("/refused")
    assert.strictEqual(attributes["error.type"], "SERVICE_UNAVAILABLE")
    assert.strictEqual(Cause.squash(failure!), "HTTP 503")
    everyOneEndedOnce()
  })

  it("of a reply that cannot be sent fails once", async () => {
    const { attributes, failure } = await asked("/bad-header")
    assert.strictEqual(attributes["http.response.status_code"], 500)
    assert.isDefined(failure)
    everyOneEndedOnce()
  })

  it("of a body that is refused ends", async () => {
    const { attributes } = await asked("/items", {
      body: "{",
      headers: { "content-type": "application/json" },
      method: "POST"
    })
    assert.strictEqual(attributes["http.response.status_code"], 400)
    assert.strictEqual((await asked("/items", { body: "x", method: "POST" })).reply?.status, 415)
    everyOneEndedOnce()
  })

  it("of a stream end with the stream", async () => {
    const reply = await app.ask("/stream")
    assert.strictEqual(reply.status, 200)
    await until("The observer", () => app.told.length === 1)
    assert.deepStrictEqual(tracing.named("GET /stream").ends, 0)
    await Effect.runPromise(Deferred.succeed(door, undefined))
    assert.strictEqual(await reply.text(), "ab")
    await idle()
    everyOneEndedOnce()
  })

  it("of a stream that fails fail, under the status that was sent", async () => {
    const { attributes, failure } = await asked("/broken")
    assert.strictEqual(attributes["http.response.status_code"], 200)
    assert.strictEqual(attributes["error.type"], "STREAM_FAILED")
    assert.strictEqual((Cause.squash(failure!) as Error).message, "torn")
    everyOneEndedOnce()
  })

  it("of a stream whose client goes away end", async () => {
    const controller = new AbortController()
    const reply = await app.ask("/stream", { signal: controller.signal })
    controller.abort()
    await reply.text().catch(() => "")
    // A stream in memory is read by no one any more.
    await Effect.runPromise(Deferred.succeed(door, undefined))
    await idle()
    assert.isUndefined(failureOf(tracing.named("GET /stream")))
    everyOneEndedOnce()
  })

  it("of a client that goes away have status 499 and do not fail", async () => {
    const controller = new AbortController()
    const reply = app.ask("/waiting", { signal: controller.signal }).catch(() => undefined)
    await until("The request", () => arrived === 1)
    controller.abort()
    await reply
    await idle()
    const span = tracing.named("GET /waiting")
    assert.strictEqual(span.attributes.get("http.response.status_code"), 499)
    assert.isUndefined(failureOf(span))
    everyOneEndedOnce()
  })

  it("of a request that the drain interrupts fail with 503", async () => {
    const reply = app.ask("/waiting").catch(() => undefined)
    await until("The request", () => arrived === 1)
    await app.stop()
    await reply
    const span = tracing.named("GET /waiting")
    assert.strictEqual(span.attributes.get("error.type"), "SERVICE_UNAVAILABLE")
    assert.strictEqual(Cause.squash(failureOf(span)!), "HTTP 503")
    everyOneEndedOnce()
  })

  if (name !== "web")
    it("of an upgrade end with the connection", async () => {
      const client = await app.connect()
      client.send("GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
      await until("The upgrade", () => arrived === 1)
      const span = tracing.named("GET /socket")
      assert.strictEqual(span.ends, 0)
      client.socket.resetAndDestroy()
      await idle()
      assert.strictEqual(span.attributes.get("server.address"), "a")
      assert.isUndefined(failureOf(span))
      everyOneEndedOnce()
    })

  it("show nothing of the values of credentials in the query", async () => {
    const { attributes } = await asked("/items/7?sig=s3cret&a=1&access_token=s3cret&b=2&api-key=")
    assert.strictEqual(
      attributes["url.query"],
      "sig=REDACTED&a=1&access_token=REDACTED&b=2&api-key=REDACTED"
    )
  })
})
