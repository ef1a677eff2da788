/** Spans of requests, in an app that has a tracer. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import type * as Headers from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"
import { App, Middleware, Plugin, RequestFields, Route, Sampling, TraceContext } from "flange"
import { TestApp } from "flange/Testing"
import { kept, parentOf } from "../tracing.ts"

class ItemsApi extends HttpApiGroup.make("items").add(
  HttpApiEndpoint.get("read", "/items/:id", { params: { id: Schema.Int }, success: Schema.Int })
) {}

class CallingApi extends HttpApiGroup.make("calling").add(HttpApiEndpoint.get("call", "/call")) {}

class CallingProbeApi extends HttpApiGroup.make("calling probe").add(
  HttpApiEndpoint.get("probe", "/calling-probe")
) {}

class ProbeApi extends HttpApiGroup.make("probe").add(HttpApiEndpoint.get("live", "/live")) {}

const Items = Plugin.make("test:items", {
  routes: [
    Route.public(ItemsApi, (handlers) =>
      handlers.handleAll({
        read: ({ params }) =>
          Effect.succeed(params.id).pipe(
            Effect.tap(RequestFields.set({ item: params.id, sessionId: "s3cret" })),
            Effect.withSpan("inside")
          )
      })
    ),
    Route.bare(ProbeApi, (handlers) => handlers.handleAll({ live: () => Effect.void }))
  ]
})

const traceId = "0af7651916cd43dd8448eb211c80319c"

const traceparent = (flags: string) => `00-${traceId}-b7ad6b7169203331-${flags}`

describe("the span of a request", () => {
  it.live("has the fields of the request, which the handler sets", () =>
    Effect.gen(function* () {
      const { named, plugin } = kept()
      const test = yield* TestApp.make(App.make("items", [plugin, Items]))
      ;(yield* test.get("/items/7")).expectStatus(200)
      assert.strictEqual(named("GET /items/:id").attributes.get("item"), 7)
      assert.strictEqual(named("GET /items/:id").attributes.get("sessionId"), "<redacted>")
      assert.isFalse(named("items.read").attributes.has("item"))
    })
  )

  it.live("has the span that the headers name as its parent, and its tracestate", () =>
    Effect.gen(function* () {
      const { plugin, spans } = kept()
      const test = yield* TestApp.make(App.make("items", [plugin, Items]))
      yield* test.get("/items/7", {
        headers: { traceparent: traceparent("01"), tracestate: "a=1,b=2" }
      })
      assert.isTrue(spans.every((span) => span.traceId === traceId))
      assert.strictEqual(parentOf(spans[0]!), "b7ad6b7169203331")
      assert.strictEqual(TraceContext.stateOf(spans.at(-1)), "a=1,b=2")
    })
  )

  it.live("has of a hostile header what is harmless", () =>
    Effect.gen(function* () {
      const { plugin, spans } = kept()
      const test = yield* TestApp.make(App.make("items", [plugin, Items]))
      ;(yield* test.get(`/items/7?a=${"%00".repeat(500)}`, {
        headers: {
          forwarded: "for=;;;,,".repeat(200),
          traceparent: `${traceparent("01")}-${"0".repeat(2000)}`,
          tracestate: "a=1,".repeat(500),
          "user-agent": "x".repeat(4000),
          "x-forwarded-for": ",".repeat(2000)
        }
      })).expectStatus(200)
      const [span] = spans
      assert.isUndefined(parentOf(span!))
      assert.strictEqual(TraceContext.stateOf(span), "")
      assert.strictEqual(span!.attributes.get("user_agent.original"), "x".repeat(512))
    })
  )
})

describe("a request that is not sampled", () => {
  it.live("has no span, and none inside of it", () =>
    Effect.gen(function* () {
      const { plugin, spans } = kept(({ target }) => target === "/items/1")
      const test = yield* TestApp.make(App.make("items", [plugin, Items]))
      ;(yield* test.get("/items/1")).expectStatus(200)
      assert.lengthOf(spans, 3)
      ;(yield* test.get("/items/2")).expectStatus(200)
      assert.lengthOf(spans, 3)
    })
  )

  it.live("is one whose caller has not sampled its own, unless the sampling decides", () =>
    Effect.gen(function* () {
      const usual = kept()
      const test = yield* TestApp.make(App.make("items", [usual.plugin, Items]))
      yield* test.get("/items/1", { headers: { traceparent: traceparent("00") } })
      assert.lengthOf(usual.spans, 0)
      const parents: Array<unknown> = []
      const all = kept((_request, _route, parent) => parents.push(parent?.sampled) > 0)
      const other = yield* TestApp.make(App.make("others", [all.plugin, Items]))
      yield* other.get("/items/1", { headers: { traceparent: traceparent("00") } })
      yield* other.get("/items/1")
      assert.deepStrictEqual(parents, [false, undefined])
      assert.isTrue(all.spans.every(({ sampled }) => sampled))
      assert.lengthOf(all.spans, 6)
    })
  )

  it.live("has ids for its log, and those of its caller's trace", () =>
    Effect.gen(function* () {
      const traces: Array<Middleware.Observed["trace"]> = []
      const Watch = Plugin.make("test:watch", {
        middleware: [
          Middleware.observe("watch", {
            build: Effect.succeed(
              () =>
                ({ trace }) =>
                  void traces.push(trace)
            )
          })
        ]
      })
      const { plugin } = kept(({ target }) => target === "/items/1")
      const test = yield* TestApp.make(App.make("items", [plugin, Items, Watch]))
      for (const path of ["/items/1", "/items/2"]) {
        yield* test.get(path)
        yield* test.get(path, { headers: { traceparent: traceparent("01") } })
      }
      for (const { spanId, traceId } of traces.map((trace) => trace!)) {
        assert.match(traceId, /^[\da-f]{32}$/)
        assert.match(spanId, /^[\da-f]{16}$/)
      }
      assert.deepStrictEqual(
        traces.map((trace) => [trace!.sampled, trace!.traceId === traceId]),
        [
          [true, false],
          [true, true],
          [false, false],
          [false, true]
        ]
      )
      const untraced = yield* TestApp.make(App.make("untraced", [Items, Watch]))
      yield* untraced.get("/items/1")
      assert.isUndefined(traces.at(-1))
    })
  )

  it.live("tells the services that it calls so", () =>
    Effect.gen(function* () {
      const sent: Array<Headers.Headers> = []
      const client = HttpClient.mapRequestEffect(
        HttpClient.make((request) => {
          sent.push(request.headers)
          return Effect.succeed(HttpClientResponse.fromWeb(request, new Response()))
        }),
        TraceContext.withState
      )
      const call = Effect.orDie(Effect.asVoid(client.get("http://b/")))
      const Calling = Plugin.make("test:calling", {
        routes: [
          Route.bare(CallingProbeApi, (handlers) => handlers.handleAll({ probe: () => call })),
          Route.public(CallingApi, (handlers) =>
            handlers.handleAll({ call: () => Effect.andThen(call, call) })
          )
        ]
      })
      const { plugin, spans } = kept(({ target }) => target !== "/call")
      const test = yield* TestApp.make(App.make("calling", [plugin, Calling]))
      const headers = { traceparent: traceparent("01"), tracestate: "a=1" }
      ;(yield* test.get("/call", { headers })).expectStatus(204)
      ;(yield* test.get("/call")).expectStatus(204)
      // A bare route is never sampled.
      ;(yield* test.get("/calling-probe", { headers })).expectStatus(204)
      assert.lengthOf(spans, 0)
      const traces = sent.map(
        ({ traceparent }) => /^00-([\da-f]{32})-[\da-f]{16}-00$/.exec(traceparent!)![1]
      )
      assert.deepStrictEqual(traces.slice(0, 2), [traceId, traceId])
      assert.strictEqual(traces[2], traces[3])
      assert.notStrictEqual(traces[2], traceId)
      assert.deepStrictEqual(
        sent.map(({ tracestate }) => tracestate),
        ["a=1", "a=1", undefined, undefined, undefined]
      )
    })
  )
})

describe("a tracer that throws", () => {
  const broken = () => {
    throw new Error("broken")
  }
  const throwing = (part: "attribute" | "end" | "span") =>
    Layer.succeed(
      Tracer.Tracer,
      Tracer.make({
        span: (options) => {
          if (part === "span") return broken()
          const span = new Tracer.NativeSpan(options)
          if (span.kind === "server") span[part] = broken
          return span
        }
      })
    )
  it.live.each(["attribute", "end", "sampling", "span"] as const)(
    "in %s changes no reply, and is logged",
    (part) =>
      Effect.gen(function* () {
        const layer =
          part === "sampling"
            ? Layer.merge(throwing("end"), Layer.succeed(Sampling, broken))
            : throwing(part)
        const Broken = Plugin.make("test:broken", { layer })
        const test = yield* TestApp.make(App.make("probe", [Broken, Items]))
        ;(yield* test.get("/nowhere")).expectStatus(404)
        assert.include(
          test.logs.map(({ message }) => message).join("\n"),
          "The tracing of a request failed"
        )
      })
  )
})
