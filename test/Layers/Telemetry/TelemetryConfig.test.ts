/** What the section refuses, and where each signal goes. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Config } from "flange"
import { TelemetryConfig } from "flange/Telemetry"
import { targetOf } from "../../../src/Layers/Telemetry/Targets.ts"

const load = (variables: Readonly<Record<string, string>>) =>
  Config.load({ sections: [TelemetryConfig], values: {}, variables }).pipe(
    Effect.map(({ context }) => Context.get(context, TelemetryConfig)),
    Effect.provide(NodeServices.layer)
  )

describe("refused", () => {
  const refusals: ReadonlyArray<readonly [name: string, value: string, expected: string]> = [
    ["OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "usually 4318"],
    ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc", "usually 4318"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4317", "http://localhost:4318"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:secret@localhost:4318", "without a password"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:4318/v1/traces", '"http://a:4318", or'],
    ["OTEL_EXPORTER_OTLP_HEADERS", "secret", "name=value"],
    ["OTEL_EXPORTER_OTLP_HEADERS", "a=%zz", "percent-encoded"],
    ["OTEL_EXPORTER_OTLP_HEADERS", "a=x%0Ay", "values of headers"],
    ["OTEL_EXPORTER_OTLP_HEADERS", "a b=c", "names and values of headers"],
    ["OTEL_METRIC_EXPORT_INTERVAL", "99999999999", "from 1 ms to 24 days"],
    ["OTEL_EXPORTER_OTLP_TIMEOUT", "99999999999", "from 1 ms to 24 days"],
    ["OTEL_RESOURCE_ATTRIBUTES", "team", "key=value"],
    ["OTEL_TRACES_EXPORTER", "zipkin", '"otlp"'],
    ["OTEL_TRACES_SAMPLER", "jaeger_remote", "parentbased_traceidratio"],
    ["OTEL_TRACES_SAMPLER_ARG", "1.5", "from 0 to 1"],
    ["OTEL_BSP_SCHEDULE_DELAY", "0", "from 1 ms"],
    ["OTEL_EXPORTER_OTLP_COMPRESSION", "br", '"gzip"']
  ]
  it.effect.each(refusals)("%s=%s, and the report says %s", ([name, value, expected]) =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(load({ [name]: value }))
      expect(message).toContain(`variable ${name}`)
      expect(message).toContain(expected)
      expect(message).not.toContain("secret@")
    })
  )

  it.effect("all problems are in one report, which does not show headers", () =>
    Effect.gen(function* () {
      const { message, problems } = yield* Effect.flip(
        load({ OTEL_EXPORTER_OTLP_HEADERS: "key hidden", OTEL_EXPORTER_OTLP_PROTOCOL: "udp" })
      )
      expect(problems).toHaveLength(2)
      expect(message).not.toContain("hidden")
    })
  )
})

describe("targets", () => {
  it.effect("the path of a signal is added to the endpoint", () =>
    Effect.gen(function* () {
      const settings = yield* load({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/otlp/" })
      expect(targetOf(settings, "traces")!.url).toBe("http://collector:4318/otlp/v1/traces")
      expect(targetOf(settings, "logs")!.url).toBe("http://collector:4318/otlp/v1/logs")
    })
  )

  it.effect("the endpoint of a signal is used as it is, and its other variables win", () =>
    Effect.gen(function* () {
      const settings = yield* load({
        OTEL_EXPORTER_OTLP_HEADERS: "a=1",
        OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: "gzip",
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://traces.example/in?x=1",
        OTEL_EXPORTER_OTLP_TRACES_HEADERS: "b=%20c%3D",
        OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: "500"
      })
      expect(targetOf(settings, "traces")).toEqual({
        compression: "gzip",
        headers: { b: " c=" },
        timeout: 500,
        url: "https://traces.example/in?x=1"
      })
      expect(targetOf(settings, "metrics")).toBeUndefined()
    })
  )

  it.effect("the defaults are those of OpenTelemetry, but for the share of traces", () =>
    Effect.gen(function* () {
      const settings = yield* load({})
      expect(settings).toMatchObject({
        attributeCount: 128,
        protocol: "http/protobuf",
        sampler: "parentbased_traceidratio",
        samplerArgument: 0.1
      })
      expect(Duration.toMillis(settings.timeout)).toBe(10_000)
      expect(Duration.toMillis(settings.traces.delay)).toBe(5000)
      expect(Duration.toMillis(settings.metrics.interval)).toBe(60_000)
    })
  )
})
