/** The log records that a collector gets. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { App } from "flange"
import * as Logging from "flange/Logging"
import * as Telemetry from "flange/Telemetry"
import { TestApp } from "flange/Testing"
import { Collector } from "./Collector.ts"
import { app, variables } from "./lamps.ts"

/** Sends requests and returns the collector. */
const after = (paths: ReadonlyArray<string>, more: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const collector = yield* Collector.make
    yield* Effect.scoped(
      Effect.gen(function* () {
        const test = yield* TestApp.make(app, {
          printLogs: true,
          variables: variables(collector, more)
        })
        for (const path of paths) yield* test.get(path)
      })
    )
    return collector
  }).pipe(Effect.scoped)

describe.each(["http/json", "http/protobuf"])("over %s", (protocol) => {
  const more = { OTEL_EXPORTER_OTLP_PROTOCOL: protocol }

  it.live("an entry has its severity, its annotations and the trace of its request", () =>
    Effect.gen(function* () {
      const { logs, spans } = yield* after(["/lamps/7"], more)
      const entry = logs.find(({ body }) => body.stringValue === "read")!
      expect(entry).toMatchObject({ severityNumber: 9, severityText: "INFO" })
      expect(entry.attributes).toMatchObject({ lamp: "7", requestId: expect.any(String) })
      const server = spans.find(({ kind }) => kind === 2)!
      expect(entry.traceId).toBe(server.traceId)
      expect(spans.map(({ spanId }) => spanId)).toContain(entry.spanId)
      expect(BigInt(entry.timeUnixNano)).toBeGreaterThan(0n)
    })
  )

  it.live("a failed request has its exception with the cause", () =>
    Effect.gen(function* () {
      const { logs } = yield* after(["/lamps/broken"], more)
      const entry = logs.find(({ severityText }) => severityText === "ERROR")!
      expect(entry.attributes).toMatchObject({
        error: { cause: "a fuse" },
        "exception.message": "broken",
        "exception.stacktrace": expect.stringContaining("lamps.ts"),
        "exception.type": "Error"
      })
    })
  )

  it.live("a request has one access line, with the attributes of the line on stdout", () =>
    Effect.gen(function* () {
      const { logs, spans } = yield* after(["/lamps/7?x=1"], more)
      const lines = logs.filter(({ attributes }) => attributes["route"] === "/lamps/:id")
      expect(lines).toHaveLength(1)
      expect(lines[0]!.body.stringValue).toMatch(/^GET \/lamps\/:id 200 \d+ms$/)
      expect(lines[0]!.attributes).toMatchObject({
        durationMs: expect.any(Number),
        isPrivileged: false,
        method: "GET",
        path: "/lamps/7",
        status: 200
      })
      expect(lines[0]!.spanId).toBe(spans.find(({ kind }) => kind === 2)!.spanId)
    })
  )
})

it.live("secrets are redacted and values are bounded", () =>
  Effect.gen(function* () {
    const collector = yield* Collector.make
    const empty = App.make("empty", [Logging.plugin, Telemetry.plugin])
    yield* Effect.scoped(
      Effect.gen(function* () {
        const test = yield* TestApp.make(empty, {
          printLogs: true,
          variables: variables(collector)
        })
        const cyclic: Record<string, unknown> = { deep: { secret: Redacted.make("hidden") } }
        cyclic["self"] = cyclic
        yield* test.run(
          Effect.logWarning("careful", cyclic).pipe(
            Effect.annotateLogs({
              authorization: "Bearer hidden",
              list: Array.from({ length: 500 }, () => 1)
            })
          )
        )
      })
    )
    const entry = collector.logs.find(({ body }) => body.stringValue === "careful")!
    expect(JSON.stringify(entry)).not.toContain("hidden")
    expect(entry.attributes).toMatchObject({
      authorization: "<redacted>",
      data: { deep: { secret: "<redacted>" }, self: "<circular>" }
    })
    expect((entry.attributes["list"] as ReadonlyArray<unknown>).length).toBeLessThan(200)
  })
)

it.live("OTEL_LOGS_EXPORTER=none exports no logs", () =>
  Effect.gen(function* () {
    const { logs, spans } = yield* after(["/lamps/7"], { OTEL_LOGS_EXPORTER: "none" })
    expect(logs).toEqual([])
    expect(spans).not.toEqual([])
  })
)
