/** Drills: what an app does when its collector is in trouble. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestApp } from "flange/Testing"
import { accept, type Answer, Collector, status } from "./Collector.ts"
import { app, variables } from "./lamps.ts"
import { partialReply } from "./otlp.ts"

/** Longer than any test, so that only the limit under test can end a wait. */
const never = "100000000"

/** Ends an app whose collector taken nothing so far. */
const soon = { FLANGE__TELEMETRY__SHUTDOWN_TIMEOUT: "50" }

const hang: Answer = () => {}

/** Answers one request after the other, and the rest with the last answer. */
const inTurn = (...answers: ReadonlyArray<Answer>): Answer => {
  let at = 0
  return (response, request) => answers[Math.min(at++, answers.length - 1)]!(response, request)
}

/** Boots the app, uses it and stops it. Returns its warnings. */
const drill = (
  answer: Answer,
  use: (test: {
    readonly collector: Collector
    readonly get: Effect.Effect<number>
  }) => Effect.Effect<void>,
  more: Readonly<Record<string, string>> = {}
) =>
  Effect.gen(function* () {
    const collector = yield* Collector.make
    collector.answer = answer
    const logs = yield* Effect.scoped(
      Effect.gen(function* () {
        const test = yield* TestApp.make(app, {
          variables: variables(collector, {
            FLANGE__TELEMETRY__SHUTDOWN_TIMEOUT: never,
            OTEL_EXPORTER_OTLP_TIMEOUT: never,
            OTEL_METRICS_EXPORTER: "none",
            ...more
          })
        })
        const get = Effect.map(test.get("/lamps/7"), ({ status }) => status)
        yield* use({ collector, get: Effect.orDie(get) })
        return test.logs
      })
    )
    const warnings = logs.filter(({ level }) => level === "Warn").map(({ message }) => message)
    return { collector, warnings: warnings.filter((text) => text.startsWith("Telemetry")) }
  }).pipe(Effect.scoped)

const until = (collector: Collector, isEnough: () => boolean) =>
  Effect.promise(() => collector.until(isEnough))

describe("hanging", () => {
  it.live("requests are answered while an export waits, and the app stops without a reply", () =>
    Effect.gen(function* () {
      const { collector, warnings } = yield* drill(
        hang,
        Effect.fnUntraced(function* ({ collector, get }) {
          yield* get
          yield* until(collector, () => collector.received.length === 1)
          for (let i = 0; i < 100; i++) expect(yield* get).toBe(200)
        }),
        soon
      )
      // One request at a time.
      expect(collector.received).toHaveLength(1)
      expect(warnings).toHaveLength(1)
      expect(warnings[0]).toMatch(
        /^Telemetry was not exported: 3\d\d spans, because the app stopped before the collector took them \(no reply within 50 ms from http:\/\/127\.0\.0\.1:\d+\/v1\/traces\)\.$/
      )
    })
  )

  it.live("a full queue drops further spans, which are counted and told with the cause", () =>
    Effect.gen(function* () {
      const { warnings } = yield* drill(
        hang,
        Effect.fnUntraced(function* ({ get }) {
          for (let i = 0; i < 100; i++) yield* get
        }),
        { ...soon, FLANGE__TELEMETRY__QUEUE_BYTES: "4 KiB" }
      )
      // A slow test has a second warning.
      const sum = (pattern: RegExp) =>
        [...warnings.join(" ").matchAll(pattern)].reduce((all, [, count]) => all + Number(count), 0)
      const full = sum(/(\d+) spans, because the queue was full/g)
      const closed = sum(/(\d+) spans, because the app stopped/g)
      expect(full + closed).toBe(300)
      // A span takes more than a hundred bytes.
      expect(closed).toBeLessThan(41)
    })
  )

  it.live("a request that gets no reply is tried again after its timeout", () =>
    Effect.gen(function* () {
      const { collector } = yield* drill(
        inTurn(hang, accept),
        Effect.fnUntraced(function* ({ collector, get }) {
          yield* get
          yield* until(collector, () => collector.received.length >= 2)
        }),
        { OTEL_EXPORTER_OTLP_TIMEOUT: "20" }
      )
      expect(collector.received[1]!.body).toEqual(collector.received[0]!.body)
    })
  )
})

describe("dead", () => {
  it.live("requests are answered, and the app stops at once", () =>
    Effect.gen(function* () {
      // It has stopped, so nothing listens on its port.
      const { url } = yield* Effect.scoped(Collector.make)
      const { warnings } = yield* drill(
        accept,
        Effect.fnUntraced(function* ({ get }) {
          for (let i = 0; i < 10; i++) expect(yield* get).toBe(200)
        }),
        {
          OTEL_EXPORTER_OTLP_ENDPOINT: url
        }
      )
      expect(warnings).toHaveLength(1)
      expect(warnings[0]).toMatch(/^Telemetry was not exported: 30 spans, because the app stopped/)
      expect(warnings[0]).toContain("ECONNREFUSED")
    })
  )

  it.live("a collector that never answered is named in one warning before anything is lost", () =>
    Effect.gen(function* () {
      const { url } = yield* Effect.scoped(Collector.make)
      const port4317 = { OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: "http://127.0.0.1:4317/v1/logs?key=1" }
      const logs = yield* Effect.scoped(
        Effect.gen(function* () {
          const test = yield* TestApp.make(app, { variables: variables({ url }, port4317) })
          const warned = () =>
            test.logs.some(({ message }) => /taken nothing so far/.test(`${message}`))
          while (!warned()) {
            yield* test.get("/lamps/7")
            yield* Effect.sleep("5 millis")
          }
          return test.logs
        })
      )
      const messages = logs.map(({ message }) => String(message))
      expect(messages).toContain(
        `Telemetry is exported: logs to http://127.0.0.1:4317/v1/logs, metrics to ${url}/v1/metrics, traces to ${url}/v1/traces (parentbased_traceidratio 1)`
      )
      expect(
        messages.filter((text) => text.includes("port of http://127.0.0.1:4317"))
      ).toHaveLength(1)
      const unanswered = messages.filter((text) => text.includes("taken nothing so far"))
      expect(unanswered).toHaveLength(1)
      expect(unanswered[0]).toContain("ECONNREFUSED")
    })
  )

  it.live("a connection that breaks before the reply is tried again", () =>
    Effect.gen(function* () {
      const { collector, warnings } = yield* drill(
        inTurn((response) => response.destroy(), accept),
        Effect.fnUntraced(function* ({ collector, get }) {
          yield* get
          yield* until(collector, () => collector.received.length === 2)
        })
      )
      expect(collector.received).toHaveLength(2)
      expect(warnings).toEqual([])
    })
  )

  it.live("a connection that breaks in a reply of 200 is not tried again", () =>
    Effect.gen(function* () {
      const { collector, warnings } = yield* drill(
        (response) => {
          response.writeHead(200, { "content-length": "100" })
          response.write("x", () => response.destroy())
        },
        Effect.fnUntraced(function* ({ get }) {
          yield* get
        })
      )
      expect(collector.received).toHaveLength(1)
      expect(warnings).toEqual([])
    })
  )
})

describe("failing", () => {
  it.live.each([429, 502, 503, 504])("a status of %d is tried again after Retry-After", (code) =>
    Effect.gen(function* () {
      const { collector, warnings } = yield* drill(
        inTurn(status(code, { "retry-after": "0" }), accept),
        Effect.fnUntraced(function* ({ collector, get }) {
          yield* get
          yield* until(collector, () => collector.received.length === 2)
        })
      )
      expect(collector.received[1]!.body).toEqual(collector.received[0]!.body)
      expect(warnings).toEqual([])
    })
  )

  it.live("a stopping app does not wait for a long Retry-After", () =>
    Effect.gen(function* () {
      const { warnings } = yield* drill(
        status(429, { "retry-after": "3600" }),
        Effect.fnUntraced(function* ({ collector, get }) {
          yield* get
          yield* until(collector, () => collector.received.length === 1)
        })
      )
      expect(warnings[0]).toContain("status 429")
    })
  )

  it.live.each([400, 401, 500, 302])("a status of %d is not tried again", (code) =>
    Effect.gen(function* () {
      const { collector, warnings } = yield* drill(
        status(code, { location: "/elsewhere" }),
        Effect.fnUntraced(function* ({ get }) {
          yield* get
        })
      )
      expect(collector.received).toHaveLength(1)
      expect(warnings[0]).toMatch(/^Telemetry was not exported: 3 spans/)
      expect(warnings[0]).toContain(`status ${code}`)
    })
  )

  it.live("a batch is given up after its time, and later spans are exported", () =>
    Effect.gen(function* () {
      let isBroken = true
      const { collector, warnings } = yield* drill(
        (response, request) => (isBroken ? status(503) : accept)(response, request),
        Effect.fnUntraced(function* ({ collector, get }) {
          yield* get
          yield* until(collector, () => collector.received.length === 1)
          yield* Effect.sleep("10 millis")
          isBroken = false
          yield* get
          yield* until(collector, () => collector.received.length === 2)
        }),
        { OTEL_BSP_EXPORT_TIMEOUT: "1" }
      )
      expect(collector.received).toHaveLength(2)
      expect(warnings[0]).toMatch(/3 spans, because the collector did not take them \(status 503/)
    })
  )

  it.live.each(["http/json", "http/protobuf"])(
    "what a collector rejects is counted over %s",
    (protocol) =>
      Effect.gen(function* () {
        const partialSuccess = { errorMessage: "too old", rejectedSpans: "2" }
        const { warnings } = yield* drill(
          (response) =>
            protocol === "http/json"
              ? response
                  .writeHead(200, { "content-type": "application/json" })
                  .end(JSON.stringify({ partialSuccess }))
              : response
                  .writeHead(200, { "content-type": "application/x-protobuf" })
                  .end(partialReply(2, "too old")),
          Effect.fnUntraced(function* ({ get }) {
            yield* get
          }),
          { OTEL_EXPORTER_OTLP_PROTOCOL: protocol }
        )
        expect(warnings).toEqual([
          "Telemetry was not exported: 2 spans, because the collector rejected them (too old)."
        ])
      })
  )
})

it.live("a slow collector gets everything, one request after the other", () =>
  Effect.gen(function* () {
    let open = 0
    let most = 0
    const { collector, warnings } = yield* drill(
      (response, request) => {
        open++
        most = Math.max(most, open)
        setTimeout(() => {
          open--
          accept(response, request)
        }, 5)
      },
      Effect.fnUntraced(function* ({ collector, get }) {
        for (let i = 0; i < 50; i++) expect(yield* get).toBe(200)
        yield* until(collector, () => collector.spans.length === 150)
      })
    )
    expect(most).toBe(1)
    expect(collector.spans).toHaveLength(150)
    expect(warnings).toEqual([])
  })
)
