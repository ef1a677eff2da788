/** The spans that a collector gets. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestApp } from "flange/Testing"
import { Collector, type Span } from "./Collector.ts"
import { app, variables } from "./lamps.ts"

/** Sends requests to the app and returns the spans that the collector then has. */
const spansOf = (
  requests: ReadonlyArray<readonly [path: string, headers?: Record<string, string>]>,
  more: Readonly<Record<string, string>> = {}
) =>
  Effect.gen(function* () {
    const collector = yield* Collector.make
    yield* Effect.scoped(
      Effect.gen(function* () {
        const test = yield* TestApp.make(app, { variables: variables(collector, more) })
        for (const [path, headers = {}] of requests) yield* test.get(path, { headers })
      })
    )
    return collector
  }).pipe(Effect.scoped)

const server = (spans: ReadonlyArray<Span>) => spans.filter(({ kind }) => kind === 2)

const traceparent = (flags: string) => ({
  traceparent: `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-${flags}`
})

describe.each(["http/json", "http/protobuf"])("over %s", (protocol) => {
  const more = { OTEL_EXPORTER_OTLP_PROTOCOL: protocol }

  it.live("a request is a trace of its span and the spans below it", () =>
    Effect.gen(function* () {
      const { received, spans } = yield* spansOf([["/lamps/7?color=red"]], more)
      const contentType = protocol === "http/json" ? "application/json" : "application/x-protobuf"
      expect(received[0]!.headers["content-type"]).toBe(contentType)
      expect(received[0]!.url).toBe("/v1/traces")
      const [root] = server(spans)
      expect(root!.name).toBe("GET /lamps/:id")
      expect(root!.attributes).toMatchObject({
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": "/lamps/:id",
        "url.path": "/lamps/7",
        "url.query": "color=red"
      })
      expect(root!.parentSpanId ?? "").toBe("")
      expect(root!.status).toBeUndefined()
      expect(root!.flags & 1).toBe(1)
      const child = spans.find(({ name }) => name === "look up")!
      expect(child.attributes).toMatchObject({ big: 2 ** 60, lamp: "7", tags: ["a", 1] })
      expect(child.traceId).toBe(root!.traceId)
      expect(child.spanId).toMatch(/^[0-9a-f]{16}$/)
      expect(root!.traceId).toMatch(/^[0-9a-f]{32}$/)
      expect(BigInt(child.startTimeUnixNano)).toBeGreaterThanOrEqual(
        BigInt(root!.startTimeUnixNano)
      )
      expect(BigInt(root!.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(child.endTimeUnixNano))
    })
  )

  it.effect("a request of another service continues its trace", () =>
    Effect.gen(function* () {
      const { spans } = yield* spansOf([["/lamps/7", traceparent("01")]], more)
      const [root] = server(spans)
      expect(root!.traceId).toBe("4bf92f3577b34da6a3ce929d0e0e4736")
      expect(root!.parentSpanId).toBe("00f067aa0ba902b7")
      expect(root!.flags).toBe(0x301)
    })
  )

  it.effect("a status of 500 or more is an error, and a defect has its stack", () =>
    Effect.gen(function* () {
      const { spans } = yield* spansOf([["/lamps/broken"], ["/lamps/none"]], more)
      const [broken, none] = server(spans)
      expect(broken!.status!.code).toBe(2)
      expect(none!.status).toBeUndefined()
    })
  )

  it.effect("the resource has the service, its version, the environment and the SDK", () =>
    Effect.gen(function* () {
      const collector = yield* spansOf([["/lamps/7"]], {
        ...more,
        OTEL_RESOURCE_ATTRIBUTES: "team=lights%20out,service.version=9"
      })
      expect(collector.resource()).toMatchObject({
        "deployment.environment.name": "test",
        "service.instance.id": expect.any(String),
        "service.name": "lamps",
        "service.version": "9",
        team: "lights out",
        "telemetry.sdk.language": "nodejs",
        "telemetry.sdk.name": "flange"
      })
    })
  )
})

it.effect("bodies are compressed and headers are sent", () =>
  Effect.gen(function* () {
    const { received, spans } = yield* spansOf([["/lamps/7"]], {
      OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
      OTEL_EXPORTER_OTLP_HEADERS: "api-key=a%20b,x-other=1"
    })
    expect(server(spans)).toHaveLength(1)
    expect(received[0]!.headers).toMatchObject({
      "api-key": "a b",
      "content-encoding": "gzip",
      "x-other": "1"
    })
  })
)

it.effect("probes have no span", () =>
  Effect.gen(function* () {
    const { spans } = yield* spansOf([["/livez"], ["/readyz"]])
    expect(server(spans)).toEqual([])
  })
)

describe("sampling", () => {
  it.effect("the decision of a parent wins over the ratio, both ways", () =>
    Effect.gen(function* () {
      const none = yield* spansOf([["/lamps/7", traceparent("00")]])
      expect(none.spans).toEqual([])
      const all = yield* spansOf([["/lamps/7", traceparent("01")], ["/lamps/8"]], {
        OTEL_TRACES_SAMPLER_ARG: "0"
      })
      expect(server(all.spans).map(({ traceId }) => traceId)).toEqual([
        "4bf92f3577b34da6a3ce929d0e0e4736"
      ])
    })
  )

  it.effect("always_on and always_off ignore the parent", () =>
    Effect.gen(function* () {
      const on = yield* spansOf([["/lamps/7", traceparent("00")]], {
        OTEL_TRACES_SAMPLER: "always_on"
      })
      expect(server(on.spans)).toHaveLength(1)
      const off = yield* spansOf([["/lamps/7", traceparent("01")]], {
        OTEL_TRACES_SAMPLER: "always_off"
      })
      expect(off.spans).toEqual([])
    })
  )

  it.effect("a B3 parent decides too", () =>
    Effect.gen(function* () {
      const b3 = (sampled: string) => ({
        b3: `4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-${sampled}`
      })
      const { spans } = yield* spansOf([
        ["/lamps/7", b3("0")],
        ["/lamps/8", b3("1")]
      ])
      expect(server(spans).map(({ attributes }) => attributes["url.path"])).toEqual(["/lamps/8"])
    })
  )
})

describe("limits", () => {
  it.effect("attributes past the limit are counted, and long texts are cut", () =>
    Effect.gen(function* () {
      const { spans } = yield* spansOf([["/lamps/1234567"]], {
        OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: "4",
        OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: "2"
      })
      const child = spans.find(({ name }) => name === "look up")!
      expect(child).toMatchObject({ droppedAttributesCount: 1 })
      expect(child.attributes).toEqual({ big: 2 ** 60, lamp: "1234" })
    })
  )
})

describe("without a collector", () => {
  const ways: ReadonlyArray<readonly [way: string, more: Readonly<Record<string, string>>]> = [
    ["no endpoint", { OTEL_EXPORTER_OTLP_ENDPOINT: "" }],
    ["OTEL_SDK_DISABLED", { OTEL_SDK_DISABLED: "true" }],
    ["OTEL_TRACES_EXPORTER=none", { OTEL_TRACES_EXPORTER: "none" }]
  ]
  it.effect.each(ways)("%s exports no traces", ([, more]) =>
    Effect.gen(function* () {
      const { spans } = yield* spansOf([["/lamps/7"]], more)
      expect(spans).toEqual([])
    })
  )
})
