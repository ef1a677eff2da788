/** Traces that are kept although they were not sampled. */
import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import { App, Plugin, Route } from "flange"
import * as Telemetry from "flange/Telemetry"
import { TestApp } from "flange/Testing"
import { RecordedSpan, type Trace } from "../../../src/Layers/Telemetry/Trace/RecordedSpan.ts"
import { Tail } from "../../../src/Layers/Telemetry/Trace/Tail.ts"
import { Collector } from "./Collector.ts"
import { variables } from "./lamps.ts"

class WorkApi extends HttpApiGroup.make("work").add(
  HttpApiEndpoint.get("fail", "/fail"),
  HttpApiEndpoint.get("fast", "/fast"),
  HttpApiEndpoint.get("recover", "/recover"),
  HttpApiEndpoint.get("slow", "/slow")
) {}

const Work = Plugin.make("test:work", {
  routes: [
    Route.public(WorkApi, (handlers) =>
      handlers.handleAll({
        fail: () => Effect.die("failed").pipe(Effect.withSpan("failing")),
        fast: () => Effect.void.pipe(Effect.withSpan("short")),
        recover: () => Effect.fail("handled").pipe(Effect.withSpan("failing"), Effect.ignore),
        slow: () => TestClock.adjust("2 seconds").pipe(Effect.withSpan("long"))
      })
    )
  ]
})

const app = App.make("work", [Telemetry.plugin, Work])

/** Requests the paths and returns the names of the spans that the collector then has. */
const namesAfter = (
  tail: Readonly<Record<string, unknown>>,
  paths: ReadonlyArray<string>,
  more: Readonly<Record<string, string>> = { OTEL_TRACES_SAMPLER_ARG: "0" },
  headers: Readonly<Record<string, string>> = {}
) =>
  Effect.gen(function* () {
    const collector = yield* Collector.make
    yield* Effect.scoped(
      Effect.gen(function* () {
        const test = yield* TestApp.make(app, {
          config: { telemetry: { tail } },
          variables: variables(collector, more)
        })
        for (const path of paths) yield* test.get(path, { headers })
      })
    )
    return collector.spans.map(({ name }) => name).toSorted()
  }).pipe(Effect.scoped)

const all = ["/fail", "/fast", "/recover", "/slow"]

it.effect("tail.errors keeps the whole trace of a request that fails, and no other", () =>
  Effect.gen(function* () {
    const names = yield* namesAfter({ errors: true }, all)
    expect(names).toContain("GET /fail")
    expect(names).toContain("failing")
    expect(names.filter((name) => name.startsWith("GET"))).toEqual(["GET /fail"])
  })
)

it.effect("tail.slowerThan keeps the whole trace of a request that takes longer", () =>
  Effect.gen(function* () {
    const names = yield* namesAfter({ slowerThan: "1 second" }, all)
    expect(names).toContain("long")
    expect(names.filter((name) => name.startsWith("GET"))).toEqual(["GET /slow"])
  })
)

it.effect("a caller that has not sampled its trace loses no error", () =>
  Effect.gen(function* () {
    const headers = { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00" }
    const names = yield* namesAfter({ errors: true }, ["/fail", "/fast"], {}, headers)
    expect(names.filter((name) => name.startsWith("GET"))).toEqual(["GET /fail"])
  })
)

it.effect("a sampled trace is exported once, whatever happens in it", () =>
  Effect.gen(function* () {
    const names = yield* namesAfter({ errors: true, slowerThan: "1 second" }, all, {
      OTEL_TRACES_SAMPLER_ARG: "1"
    })
    expect(names.filter((name) => name.startsWith("GET"))).toEqual([
      "GET /fail",
      "GET /fast",
      "GET /recover",
      "GET /slow"
    ])
  })
)

describe("what waits is bounded", () => {
  const make = (maxSpans: number) => {
    const exported: Array<string> = []
    let forgotten = 0
    const sampled: Trace = {
      end: ({ name }) => exported.push(name),
      limits: { attributes: 1, events: 1, links: 1, valueLength: 1 },
      traceId: () => "0".repeat(32)
    }
    const tail = new Tail(sampled, { errors: true, maxSpans, slowerThan: undefined }, (spans) => {
      forgotten += spans
    })
    const span = (name: string, trace: Trace) =>
      new RecordedSpan(
        {
          annotations: Context.empty(),
          kind: "internal",
          links: [],
          name,
          parent: Option.none(),
          root: false,
          sampled: false,
          startTime: 0n
        },
        false,
        trace
      )
    const begin = (name: string) => {
      const trace = tail.begin()
      const root = span(name, trace)
      trace.root = root
      const work = () => span(`in ${name}`, trace).end(1n, Exit.void)
      return {
        fail: () => root.end(2n, Exit.fail("no")),
        succeed: () => root.end(2n, Exit.void),
        work
      }
    }
    return { begin, exported, forgotten: () => forgotten }
  }

  it("the oldest trace is forgotten if too many spans wait, and its spans are counted", () => {
    const { begin, exported, forgotten } = make(3)
    const [old, young] = [begin("old"), begin("young")]
    old.work()
    old.work()
    young.work()
    expect(forgotten()).toBe(0)
    young.work()
    expect(forgotten()).toBe(2)
    old.work()
    old.fail()
    young.fail()
    expect(exported).toEqual(["in young", "in young", "young"])
  })

  it("traces that end make room", () => {
    const { begin, exported, forgotten } = make(2)
    for (let i = 0; i < 100; i++) {
      const trace = begin("short")
      trace.work()
      trace.work()
      trace.succeed()
    }
    expect(forgotten()).toBe(0)
    expect(exported).toEqual([])
  })

  it("a trace that never ends makes room for others", () => {
    const { begin, exported } = make(2)
    const stuck = begin("stuck")
    stuck.work()
    stuck.work()
    const trace = begin("later")
    trace.work()
    trace.fail()
    expect(exported).toEqual(["in later", "later"])
  })

  it("a span that ends after its request follows the decision", () => {
    const { begin, exported } = make(2)
    const kept = begin("kept")
    kept.fail()
    kept.work()
    const lost = begin("lost")
    lost.succeed()
    lost.work()
    expect(exported).toEqual(["kept", "in kept"])
  })
})
