/** The metrics that a collector gets. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { TestApp } from "flange/Testing"
import { Collector } from "./Collector.ts"
import { app, variables } from "./lamps.ts"
import { type KeyValue, record } from "./otlp.ts"

/** A point as JSON has it. */
interface Point {
  readonly asDouble?: number
  readonly asInt?: string
  readonly attributes?: ReadonlyArray<KeyValue>
  readonly bucketCounts?: ReadonlyArray<string>
  readonly count?: string
  readonly exemplars?: ReadonlyArray<{ readonly traceId: string }>
  readonly explicitBounds?: ReadonlyArray<number>
  readonly max?: number
  readonly min?: number
  readonly startTimeUnixNano: string
  readonly timeUnixNano: string
}

interface Data {
  readonly aggregationTemporality?: number
  readonly dataPoints: ReadonlyArray<Point>
  readonly isMonotonic?: boolean
}

const after = (use: Effect.Effect<unknown>, more: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const collector = yield* Collector.make
    yield* Effect.scoped(
      Effect.gen(function* () {
        const test = yield* TestApp.make(app, { variables: variables(collector, more) })
        yield* test.get("/lamps/7")
        yield* test.get("/lamps/broken")
        yield* test.run(use)
      })
    )
    return collector
  }).pipe(Effect.scoped)

describe.each(["http/json", "http/protobuf"])("over %s", (protocol) => {
  const more = { OTEL_EXPORTER_OTLP_PROTOCOL: protocol }

  it.live("every kind of metric arrives, with its unit", () =>
    Effect.gen(function* () {
      const use = Effect.gen(function* () {
        yield* Metric.update(Metric.counter("big", { bigint: true }), -5n)
        yield* Metric.update(Metric.frequency("colours"), "red")
        yield* Metric.update(Metric.frequency("colours"), "blue")
        yield* Metric.update(Metric.gauge("level", { attributes: { unit: "seconds" } }), 2.5)
        const sizes = Metric.histogram("sizes", { boundaries: [1, 10] })
        for (const size of [0.5, 1, 5, 100]) yield* Metric.update(sizes, size)
        yield* Metric.update(
          Metric.summary("waits", { maxAge: "1 minute", maxSize: 10, quantiles: [0.5] }),
          3
        )
      })
      const { metrics } = yield* after(use, more)
      const named = (name: string) => {
        const found = metrics.filter((metric) => metric.name === name)
        expect(found).toHaveLength(1)
        return found[0]!
      }
      const reads = named("lamps.read")
      expect(reads).toMatchObject({ description: "Lamps that were read", unit: "{lamp}" })
      const counted = reads["sum"] as Data
      expect(counted.dataPoints[0]!.asDouble).toBe(1)
      expect(record(counted.dataPoints[0]!.attributes)).toEqual({})
      expect(counted).toMatchObject({ aggregationTemporality: 2 })
      const big = named("big")["sum"] as Data
      expect(big.dataPoints[0]!.asInt).toBe("-5")
      const colours = named("colours")["sum"] as Data
      expect(colours.dataPoints.map(({ attributes }) => record(attributes)["key"])).toEqual([
        "red",
        "blue"
      ])
      expect(named("level")).toMatchObject({
        gauge: { dataPoints: [{ asDouble: 2.5 }] },
        unit: "s"
      })
      const sizes = named("sizes")["histogram"] as Data
      expect(sizes.aggregationTemporality).toBe(2)
      expect(sizes.dataPoints[0]).toMatchObject({
        bucketCounts: ["2", "1", "1"],
        count: "4",
        explicitBounds: [1, 10],
        max: 100,
        min: 0.5
      })
      expect(named("waits")["summary"]).toMatchObject({
        dataPoints: [{ count: "1", quantileValues: [{ quantile: 0.5, value: 3 }], sum: 3 }]
      })
    })
  )

  it.live("the duration of requests has one point for each series, with a trace", () =>
    Effect.gen(function* () {
      const { metrics, spans } = yield* after(Effect.void, more)
      const duration = metrics.find(({ name }) => name === "http.server.request.duration")!
      expect(duration.unit).toBe("s")
      const { dataPoints } = duration["histogram"] as Data
      const statuses = dataPoints.map(
        ({ attributes }) => record(attributes)["http.response.status_code"]
      )
      expect(statuses.toSorted()).toEqual(["200", "500"])
      for (const point of dataPoints) {
        expect(record(point.attributes)).not.toHaveProperty("unit")
        expect(BigInt(point.timeUnixNano)).toBeGreaterThanOrEqual(BigInt(point.startTimeUnixNano))
        expect(spans.map(({ traceId }) => traceId)).toContain(point.exemplars![0]!.traceId)
      }
    })
  )
})

it.live("the metrics are exported at each interval", () =>
  Effect.gen(function* () {
    const collector = yield* Collector.make
    yield* TestApp.make(app, {
      variables: variables(collector, { OTEL_METRIC_EXPORT_INTERVAL: "10" })
    })
    const exports = () => collector.received.filter(({ signal }) => signal === "metrics")
    yield* Effect.promise(() => collector.until(() => exports().length >= 3))
  }).pipe(Effect.scoped)
)

it.live("what was exported and dropped is a metric", () =>
  Effect.gen(function* () {
    const collector = yield* Collector.make
    const test = yield* TestApp.make(app, { variables: variables(collector) })
    yield* test.get("/lamps/7")
    const exported = /^flange_telemetry_exported_total\{signal="traces"\} [1-9]/m
    const { text } = yield* test
      .get("/metrics")
      .pipe(Effect.delay("1 millis"), Effect.repeat({ until: ({ text }) => exported.test(text) }))
    expect(text).toContain('flange_telemetry_dropped_total{reason="queue_full",signal="traces"} 0')
  }).pipe(Effect.scoped)
)
