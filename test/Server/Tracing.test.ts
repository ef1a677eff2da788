/** Spans of requests, in an app that has a tracer. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"
import { App, Plugin, RequestFields, Route, type Sample, Sampling } from "flange"
import { TestApp } from "flange/Testing"

class ItemsApi extends HttpApiGroup.make("items").add(
  HttpApiEndpoint.get("read", "/items/:id", { params: { id: Schema.Int }, success: Schema.Int })
) {}

class ProbeApi extends HttpApiGroup.make("probe").add(HttpApiEndpoint.get("live", "/live")) {}

const Items = Plugin.make("test:items", {
  routes: [
    Route.public(ItemsApi, (handlers) =>
      handlers.handleAll({
        read: ({ params }) =>
          Effect.succeed(params.id).pipe(
            Effect.tap(RequestFields.set({ item: params.id })),
            Effect.withSpan("inside")
          )
      })
    ),
    Route.bare(ProbeApi, (handlers) => handlers.handleAll({ live: () => Effect.void }))
  ]
})

/** A plugin with a tracer that keeps its spans, and those spans. */
const tracing = (sample?: Sample) => {
  const spans: Array<Tracer.Span> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  const plugin = Plugin.make("test:tracing", {
    layer: Layer.merge(
      Layer.succeed(Tracer.Tracer, tracer),
      sample === undefined ? Layer.empty : Layer.succeed(Sampling, sample)
    )
  })
  return { plugin, spans }
}

describe("the span of a request", () => {
  it.live("has the method and the path template as its name, and the spans inside below it", () =>
    Effect.gen(function* () {
      const { plugin, spans } = tracing()
      const test = yield* TestApp.make(App.make("items", [plugin, Items]))
      ;(yield* test.get("/items/7", { query: { verbose: "yes" } })).expectStatus(200)
      const [server, inside] = spans
      assert.strictEqual(server!.name, "GET /items/:id")
      assert.strictEqual(server!.kind, "server")
      assert.deepInclude(Object.fromEntries(server!.attributes), {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": "/items/:id",
        item: 7,
        "url.path": "/items/7",
        "url.query": "verbose=yes"
      })
      assert.strictEqual(inside!.name, "inside")
      assert.strictEqual(Option.getOrThrow(inside!.parent).spanId, server!.spanId)
      assert.isTrue(spans.every(({ status }) => status._tag === "Ended"))
    })
  )

  it.live("has the span that the headers name as its parent", () =>
    Effect.gen(function* () {
      const { plugin, spans } = tracing()
      const test = yield* TestApp.make(App.make("items", [plugin, Items]))
      const traceId = "0af7651916cd43dd8448eb211c80319c"
      yield* test.get("/items/7", {
        headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` }
      })
      assert.strictEqual(spans[0]!.traceId, traceId)
      assert.strictEqual(Option.getOrThrow(spans[0]!.parent).spanId, "b7ad6b7169203331")
    })
  )

  it.live("is the method alone if no route matched, and is not made for a bare route", () =>
    Effect.gen(function* () {
      const { plugin, spans } = tracing()
      const test = yield* TestApp.make(App.make("items", [plugin, Items]))
      ;(yield* test.get("/live")).expectStatus(204)
      ;(yield* test.get("/nowhere")).expectStatus(404)
      assert.deepStrictEqual(
        spans.map(({ attributes, name }) => [name, attributes.get("http.response.status_code")]),
        [["GET", 404]]
      )
    })
  )
})

describe("a request that is not sampled", () => {
  it.live("has no span, and none inside of it", () =>
    Effect.gen(function* () {
      const { plugin, spans } = tracing(({ target }) => target === "/items/1")
      const test = yield* TestApp.make(App.make("items", [plugin, Items]))
      ;(yield* test.get("/items/1")).expectStatus(200)
      assert.lengthOf(spans, 2)
      ;(yield* test.get("/items/2")).expectStatus(200)
      assert.lengthOf(spans, 2)
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
