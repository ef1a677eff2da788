/** The trace that the headers of a request name. */
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { TraceContext } from "flange"
import { assert, describe, it } from "vitest"

const traceId = "0af7651916cd43dd8448eb211c80319c"
const spanId = "b7ad6b7169203331"
const valid = `00-${traceId}-${spanId}-01`

const read = (headers: Record<string, string>) => TraceContext.fromHeaders((name) => headers[name])

const stateOf = (tracestate: string) => {
  const found = read({ traceparent: valid, tracestate })
  assert.isDefined(found, "a traceparent counts whatever its tracestate is")
  return TraceContext.stateOf(found)
}

describe("traceparent", () => {
  it("names the trace, the span, and whether it is sampled", () => {
    for (const [flags, sampled] of [
      ["00", false],
      ["01", true],
      ["02", false],
      ["03", true],
      ["ff", true]
    ] as const) {
      const found = read({ traceparent: `00-${traceId}-${spanId}-${flags}` })
      assert.deepInclude(found, { sampled, spanId, traceId })
    }
  })

  it("of a later version may have more fields", () => {
    for (const text of [`01-${traceId}-${spanId}-01`, `cc-${traceId}-${spanId}-01-more-of-it`]) {
      assert.deepInclude(read({ traceparent: text }), { sampled: true, spanId, traceId }, text)
    }
  })

  it("that is not well-formed is ignored", () => {
    for (const text of [
      "",
      "00",
      "-",
      valid.toUpperCase(),
      ` ${valid}`,
      `${valid} `,
      `${valid}-`,
      `${valid}-00`,
      `${valid}, ${valid}`,
      `${valid},00-${traceId.replaceAll("a", "b")}-${spanId}-01`,
      `0-${traceId}-${spanId}-01`,
      `00-${"0".repeat(32)}-${spanId}-01`,
      `00-${traceId}-${"0".repeat(16)}-01`,
      `00-${traceId}-${spanId}-1`,
      `00-${traceId}-${spanId}-0g`,
      `00-${traceId}-${spanId}`,
      `00-${traceId}${spanId}-01`,
      `00-${traceId}\u0000-${spanId}-01`,
      `00_${traceId}_${spanId}_01`,
      `01-${traceId}-${spanId}-01x`,
      `ff-${traceId}-${spanId}-01`,
      `01-${traceId}-${spanId}-01-${"x".repeat(100_000)}`,
      "0".repeat(100_000),
      "00-".repeat(50_000)
    ]) {
      assert.isUndefined(read({ traceparent: text }), text.slice(0, 80))
    }
  })
})

describe("tracestate", () => {
  it("is kept as it came", () => {
    for (const text of [
      "a=1",
      "a=1,b=2",
      "a=1 , b=2",
      "a=1,,b=2",
      "a= x!",
      "tenant@vendor=1",
      "1a-_*/=x",
      "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
      Array.from({ length: 32 }, (_, i) => `a${i}=1`).join(",")
    ]) {
      assert.strictEqual(stateOf(text), text)
    }
  })

  it("that is not well-formed or too long is left out", () => {
    for (const text of [
      "",
      ",",
      "a",
      "a=",
      "=1",
      "A=1",
      "a=1,a=2",
      "a=b=c",
      "a=1;b=2",
      "a=\u0001",
      "a=é",
      "a@b@c=1",
      `a=${"x".repeat(257)}`,
      `${"a".repeat(300)}=1`,
      Array.from({ length: 33 }, (_, i) => `a${i}=1`).join(","),
      `a=${"x".repeat(100_000)}`,
      ",".repeat(100_000),
      "a=1,".repeat(50_000)
    ]) {
      assert.strictEqual(stateOf(text), "", text.slice(0, 80))
    }
  })

  it("without a traceparent counts for nothing", () => {
    assert.isUndefined(read({ tracestate: "a=1" }))
    assert.isUndefined(read({ traceparent: "00", tracestate: "a=1" }))
    const b3 = read({ b3: `${traceId}-${spanId}-1`, tracestate: "a=1" })
    assert.strictEqual(TraceContext.stateOf(b3), "")
  })

  it("goes out with a request of a span below", async () => {
    const parent = read({ traceparent: valid, tracestate: "a=1" })!
    const inner = new Tracer.NativeSpan({
      annotations: parent.annotations,
      kind: "internal",
      links: [],
      name: "inner",
      parent: Option.some(parent),
      sampled: true,
      startTime: 0n
    })
    const sent = await TraceContext.withState(HttpClientRequest.get("http://a/")).pipe(
      Effect.withSpan("outer"),
      Effect.withParentSpan(inner),
      Effect.runPromise
    )
    assert.strictEqual(sent.headers["tracestate"], "a=1")
    const other = await Effect.runPromise(
      TraceContext.withState(HttpClientRequest.get("http://a/"))
    )
    assert.notProperty(other.headers, "tracestate")
  })
})

describe("b3", () => {
  it("counts if there is no well-formed traceparent", () => {
    const b3 = `${traceId}-${spanId}-0`
    assert.deepInclude(read({ b3 }), { sampled: false, spanId, traceId })
    assert.deepInclude(read({ b3, traceparent: "00-x" }), { sampled: false })
    assert.deepInclude(read({ b3, traceparent: valid }), { sampled: true })
  })

  it("may be several headers, and an id of half the digits", () => {
    const found = read({
      "x-b3-sampled": "1",
      "x-b3-spanid": spanId,
      "x-b3-traceid": traceId.slice(16)
    })
    assert.deepInclude(found, { sampled: true, traceId: `${"0".repeat(16)}${traceId.slice(16)}` })
  })

  it("that is not well-formed is ignored", () => {
    for (const b3 of [
      "0",
      "",
      `${"0".repeat(32)}-${spanId}`,
      `${traceId}-${"0".repeat(16)}`,
      `${traceId}-x`,
      "-".repeat(100_000)
    ]) {
      assert.isUndefined(read({ b3 }), b3.slice(0, 80))
    }
  })
})
