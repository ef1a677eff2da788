/** The configuration section `telemetry`. */
import { validateHeaderName, validateHeaderValue } from "node:http"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as Config from "../../Config/index.ts"
import { Timer } from "../../Config/Timer.ts"
import * as KeyValues from "./KeyValues.ts"
import * as Sampler from "./Trace/Sampler.ts"

const isEndpoint = (text: string): boolean => {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) && url.username + url.password === ""
}

const Endpoint = Schema.String.check(Schema.makeFilter(isEndpoint)).pipe(
  Config.expected('an http or https URL without a password, such as "http://localhost:4318"')
)

const Pairs = Schema.String.check(Schema.makeFilter((text) => KeyValues.parse(text) !== undefined))

/** Checks whether Node sends these headers. */
const areHeaders = (text: string): boolean =>
  Object.entries(KeyValues.parse(text) ?? {}).every(([name, value]) => {
    try {
      validateHeaderName(name)
      validateHeaderValue(name, value)
      return true
    } catch {
      return false
    }
  })

const Headers = Schema.RedactedFromValue(Pairs.check(Schema.makeFilter(areHeaders))).pipe(
  Config.expected(
    '"name=value" with commas between several, names and values of headers, and values percent-encoded'
  )
)

const Attributes = Pairs.pipe(
  Schema.decodeTo(Schema.Record(Schema.String, Schema.String), {
    decode: SchemaGetter.transform((text: string) => KeyValues.parse(text) ?? {}),
    encode: SchemaGetter.transform(KeyValues.format)
  }),
  Config.expected('"key=value" with commas between several, and values percent-encoded')
)

const Share = Schema.Finite.check(Schema.isBetween({ maximum: 1, minimum: 0 })).pipe(
  Config.expected("a number from 0 to 1, such as 0.1 for a tenth")
)

const Count = Schema.Int.check(Schema.isGreaterThan(0))
const Compression = Schema.Literals(["gzip", "none"])
/** `check` refuses `grpc` with its reason. */
const Protocol = Schema.Literals(["grpc", "http/json", "http/protobuf"]).pipe(
  Config.expected('"http/protobuf" or "http/json"')
)

/** Returns the problem of a general endpoint that is the URL of one signal. */
const endpointProblems = (endpoint: string | undefined) => {
  const [, base, signal] = /^(.*)\/v1\/(logs|metrics|traces)\/?$/.exec(endpoint ?? "") ?? []
  return base === undefined
    ? []
    : [
        {
          expected: `"${base}", or the whole URL as telemetry.${signal}.endpoint`,
          key: "endpoint",
          reason: `/v1/${signal} is added to it`
        }
      ]
}

const signal = {
  compression: Schema.optionalKey(Compression),
  endpoint: Schema.optionalKey(Endpoint),
  exporter: Schema.Literals(["none", "otlp"]).pipe(Config.withDefault("otlp")),
  exportTimeout: Timer.pipe(Config.withDefault("30 seconds")),
  headers: Schema.optionalKey(Headers),
  protocol: Schema.optionalKey(Protocol),
  timeout: Schema.optionalKey(Timer)
}

const batched = {
  ...signal,
  batchSize: Schema.optionalKey(Count),
  queueSize: Schema.optionalKey(Count)
}

/**
 * Section `telemetry`.
 *
 * | key | default | meaning |
 * |---|---|---|
 * | `attributeCount` | 128 | the most attributes of a span; variable `OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT` |
 * | `attributeLength` | 16384 | the longest text of an attribute, in UTF-16 units; variable `OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT` |
 * | `compression` | `none` | `gzip` or `none`; variable `OTEL_EXPORTER_OTLP_COMPRESSION` |
 * | `disabled` | `false` | whether nothing is exported; variable `OTEL_SDK_DISABLED` |
 * | `endpoint` | none | the collector, to which `/v1/traces`, `/v1/metrics` or `/v1/logs` is added; variable `OTEL_EXPORTER_OTLP_ENDPOINT` |
 * | `headers` | none | headers of each request, such as `api-key=secret`; variable `OTEL_EXPORTER_OTLP_HEADERS` |
 * | `logs.batchSize` | none | the most log records of a request; variable `OTEL_BLRP_MAX_EXPORT_BATCH_SIZE` |
 * | `logs.compression` | that of `compression` | the same for logs alone; variable `OTEL_EXPORTER_OTLP_LOGS_COMPRESSION` |
 * | `logs.delay` | 1 s | how long a log record waits for others; variable `OTEL_BLRP_SCHEDULE_DELAY` |
 * | `logs.endpoint` | from `endpoint` | the whole URL for logs; variable `OTEL_EXPORTER_OTLP_LOGS_ENDPOINT` |
 * | `logs.exporter` | `otlp` | `otlp` or `none`; variable `OTEL_LOGS_EXPORTER` |
 * | `logs.exportTimeout` | 30 s | how long a request is tried again; variable `OTEL_BLRP_EXPORT_TIMEOUT` |
 * | `logs.headers` | those of `headers` | the same for logs alone; variable `OTEL_EXPORTER_OTLP_LOGS_HEADERS` |
 * | `logs.protocol` | that of `protocol` | the same for logs alone; variable `OTEL_EXPORTER_OTLP_LOGS_PROTOCOL` |
 * | `logs.queueSize` | none | the most log records that wait; variable `OTEL_BLRP_MAX_QUEUE_SIZE` |
 * | `logs.timeout` | that of `timeout` | the same for logs alone; variable `OTEL_EXPORTER_OTLP_LOGS_TIMEOUT` |
 * | `metrics.compression` | that of `compression` | the same for metrics alone; variable `OTEL_EXPORTER_OTLP_METRICS_COMPRESSION` |
 * | `metrics.endpoint` | from `endpoint` | the whole URL for metrics; variable `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT` |
 * | `metrics.exporter` | `otlp` | `otlp` or `none`; variable `OTEL_METRICS_EXPORTER` |
 * | `metrics.exportTimeout` | 30 s | how long a request is tried again; variable `OTEL_METRIC_EXPORT_TIMEOUT` |
 * | `metrics.headers` | those of `headers` | the same for metrics alone; variable `OTEL_EXPORTER_OTLP_METRICS_HEADERS` |
 * | `metrics.interval` | 1 min | how often the metrics are exported; variable `OTEL_METRIC_EXPORT_INTERVAL` |
 * | `metrics.protocol` | that of `protocol` | the same for metrics alone; variable `OTEL_EXPORTER_OTLP_METRICS_PROTOCOL` |
 * | `metrics.timeout` | that of `timeout` | the same for metrics alone; variable `OTEL_EXPORTER_OTLP_METRICS_TIMEOUT` |
 * | `protocol` | `http/protobuf` | `http/protobuf` or `http/json`; variable `OTEL_EXPORTER_OTLP_PROTOCOL` |
 * | `queueBytes` | 16 MiB | the most bytes of each signal that wait; further records are dropped |
 * | `resourceAttributes` | none | attributes of the service, such as `team=shop,region=eu`; variable `OTEL_RESOURCE_ATTRIBUTES` |
 * | `sampler` | `parentbased_traceidratio` | which traces are exported; variable `OTEL_TRACES_SAMPLER` |
 * | `samplerArgument` | 0.1 | the share of traces, from 0 to 1; variable `OTEL_TRACES_SAMPLER_ARG` |
 * | `serviceName` | the app's name | the attribute `service.name`; variable `OTEL_SERVICE_NAME` |
 * | `shutdownTimeout` | 3 s | how long a stopping app sends what waits |
 * | `tail.errors` | `false` | whether traces whose request fails are exported although they were not sampled |
 * | `tail.maxSpans` | 20000 | the most spans that wait for the end of their request |
 * | `tail.slowerThan` | none | traces of requests that take longer are exported although they were not sampled |
 * | `timeout` | 10 s | the longest time of one request; variable `OTEL_EXPORTER_OTLP_TIMEOUT` |
 * | `traces.batchSize` | none | the most spans of a request; variable `OTEL_BSP_MAX_EXPORT_BATCH_SIZE` |
 * | `traces.compression` | that of `compression` | the same for traces alone; variable `OTEL_EXPORTER_OTLP_TRACES_COMPRESSION` |
 * | `traces.delay` | 5 s | how long a span waits for others; variable `OTEL_BSP_SCHEDULE_DELAY` |
 * | `traces.endpoint` | from `endpoint` | the whole URL for traces; variable `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` |
 * | `traces.exporter` | `otlp` | `otlp` or `none`; variable `OTEL_TRACES_EXPORTER` |
 * | `traces.exportTimeout` | 30 s | how long a request is tried again; variable `OTEL_BSP_EXPORT_TIMEOUT` |
 * | `traces.headers` | those of `headers` | the same for traces alone; variable `OTEL_EXPORTER_OTLP_TRACES_HEADERS` |
 * | `traces.protocol` | that of `protocol` | the same for traces alone; variable `OTEL_EXPORTER_OTLP_TRACES_PROTOCOL` |
 * | `traces.queueSize` | none | the most spans that wait; variable `OTEL_BSP_MAX_QUEUE_SIZE` |
 * | `traces.timeout` | that of `timeout` | the same for traces alone; variable `OTEL_EXPORTER_OTLP_TRACES_TIMEOUT` |
 *
 * Durations without a unit are milliseconds, as in the variables of OpenTelemetry. None is longer than 24 days.
 */
export const TelemetryConfig = Config.section(
  "telemetry",
  {
    attributeCount: Count.pipe(Config.withDefault(128)),
    attributeLength: Count.pipe(Config.withDefault(16_384)),
    compression: Compression.pipe(Config.withDefault("none")),
    disabled: Schema.Boolean.pipe(Config.withDefault(false)),
    endpoint: Schema.optionalKey(Endpoint),
    headers: Schema.optionalKey(Headers),
    logs: Schema.Struct({ ...batched, delay: Timer.pipe(Config.withDefault("1 second")) }).pipe(
      Config.withDefault({})
    ),
    metrics: Schema.Struct({
      ...signal,
      interval: Timer.pipe(Config.withDefault("1 minute"))
    }).pipe(Config.withDefault({})),
    protocol: Protocol.pipe(Config.withDefault("http/protobuf")),
    queueBytes: Config.ByteSize.check(Schema.isGreaterThan(0)).pipe(Config.withDefault("16 MiB")),
    resourceAttributes: Schema.optionalKey(Attributes),
    sampler: Schema.Literals(Sampler.names).pipe(Config.withDefault("parentbased_traceidratio")),
    samplerArgument: Share.pipe(Config.withDefault(0.1)),
    serviceName: Schema.optionalKey(Schema.NonEmptyString),
    shutdownTimeout: Timer.pipe(Config.withDefault("3 seconds")),
    tail: Schema.Struct({
      errors: Schema.Boolean.pipe(Config.withDefault(false)),
      maxSpans: Count.pipe(Config.withDefault(20_000)),
      slowerThan: Schema.optionalKey(Timer)
    }).pipe(Config.withDefault({})),
    timeout: Timer.pipe(Config.withDefault("10 seconds")),
    traces: Schema.Struct({ ...batched, delay: Timer.pipe(Config.withDefault("5 seconds")) }).pipe(
      Config.withDefault({})
    )
  },
  {
    check: ({ endpoint, logs, metrics, protocol, traces }) => [
      ...endpointProblems(endpoint),
      ...Object.entries({
        "logs.protocol": logs.protocol,
        "metrics.protocol": metrics.protocol,
        protocol,
        "traces.protocol": traces.protocol
      }).flatMap(([key, value]) =>
        value === "grpc"
          ? [
              {
                expected:
                  '"http/protobuf", and the collector\'s HTTP port in the endpoint, usually 4318',
                key,
                reason: "gRPC is not supported"
              }
            ]
          : []
      )
    ],
    variables: {
      OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: "attributeLength",
      OTEL_BLRP_EXPORT_TIMEOUT: "logs.exportTimeout",
      OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: "logs.batchSize",
      OTEL_BLRP_MAX_QUEUE_SIZE: "logs.queueSize",
      OTEL_BLRP_SCHEDULE_DELAY: "logs.delay",
      OTEL_BSP_EXPORT_TIMEOUT: "traces.exportTimeout",
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "traces.batchSize",
      OTEL_BSP_MAX_QUEUE_SIZE: "traces.queueSize",
      OTEL_BSP_SCHEDULE_DELAY: "traces.delay",
      OTEL_EXPORTER_OTLP_COMPRESSION: "compression",
      OTEL_EXPORTER_OTLP_ENDPOINT: "endpoint",
      OTEL_EXPORTER_OTLP_HEADERS: "headers",
      OTEL_EXPORTER_OTLP_LOGS_COMPRESSION: "logs.compression",
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: "logs.endpoint",
      OTEL_EXPORTER_OTLP_LOGS_HEADERS: "logs.headers",
      OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: "logs.protocol",
      OTEL_EXPORTER_OTLP_LOGS_TIMEOUT: "logs.timeout",
      OTEL_EXPORTER_OTLP_METRICS_COMPRESSION: "metrics.compression",
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "metrics.endpoint",
      OTEL_EXPORTER_OTLP_METRICS_HEADERS: "metrics.headers",
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: "metrics.protocol",
      OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: "metrics.timeout",
      OTEL_EXPORTER_OTLP_PROTOCOL: "protocol",
      OTEL_EXPORTER_OTLP_TIMEOUT: "timeout",
      OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: "traces.compression",
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "traces.endpoint",
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: "traces.headers",
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "traces.protocol",
      OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: "traces.timeout",
      OTEL_LOGS_EXPORTER: "logs.exporter",
      OTEL_METRIC_EXPORT_INTERVAL: "metrics.interval",
      OTEL_METRIC_EXPORT_TIMEOUT: "metrics.exportTimeout",
      OTEL_METRICS_EXPORTER: "metrics.exporter",
      OTEL_RESOURCE_ATTRIBUTES: "resourceAttributes",
      OTEL_SDK_DISABLED: "disabled",
      OTEL_SERVICE_NAME: "serviceName",
      OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: "attributeCount",
      OTEL_TRACES_EXPORTER: "traces.exporter",
      OTEL_TRACES_SAMPLER: "sampler",
      OTEL_TRACES_SAMPLER_ARG: "samplerArgument"
    }
  }
)

/** The decoded section `telemetry`. */
export type Settings = (typeof TelemetryConfig)["Service"]
