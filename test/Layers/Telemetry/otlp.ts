/** What a collector reads of the requests of OTLP, as one short file of Protocol Buffers. */
import protobuf from "protobufjs"

const { root } = protobuf.parse(`
  syntax = "proto3";
  message Any {
    oneof value {
      string stringValue = 1; bool boolValue = 2; int64 intValue = 3; double doubleValue = 4;
      List arrayValue = 5; Map kvlistValue = 6; bytes bytesValue = 7;
    }
  }
  message List { repeated Any values = 1; }
  message Map { repeated KeyValue values = 1; }
  message KeyValue { string key = 1; Any value = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message Scope { string name = 1; string version = 2; }

  message Traces { repeated ResourceSpans resourceSpans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scopeSpans = 2; }
  message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
  message Span {
    bytes traceId = 1; bytes spanId = 2; string traceState = 3; bytes parentSpanId = 4;
    string name = 5; int32 kind = 6; fixed64 startTimeUnixNano = 7; fixed64 endTimeUnixNano = 8;
    repeated KeyValue attributes = 9; uint32 droppedAttributesCount = 10;
    repeated Event events = 11; uint32 droppedEventsCount = 12;
    repeated Link links = 13; uint32 droppedLinksCount = 14; Status status = 15; fixed32 flags = 16;
  }
  message Event { fixed64 timeUnixNano = 1; string name = 2; repeated KeyValue attributes = 3; }
  message Link { bytes traceId = 1; bytes spanId = 2; repeated KeyValue attributes = 4; }
  message Status { string message = 2; int32 code = 3; }

  message Logs { repeated ResourceLogs resourceLogs = 1; }
  message ResourceLogs { Resource resource = 1; repeated ScopeLogs scopeLogs = 2; }
  message ScopeLogs { Scope scope = 1; repeated LogRecord logRecords = 2; }
  message LogRecord {
    fixed64 timeUnixNano = 1; int32 severityNumber = 2; string severityText = 3; Any body = 5;
    repeated KeyValue attributes = 6; fixed32 flags = 8; bytes traceId = 9; bytes spanId = 10;
    fixed64 observedTimeUnixNano = 11; string eventName = 12;
  }

  message Metrics { repeated ResourceMetrics resourceMetrics = 1; }
  message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scopeMetrics = 2; }
  message ScopeMetrics { Scope scope = 1; repeated Metric metrics = 2; }
  message Metric {
    string name = 1; string description = 2; string unit = 3;
    oneof data { Gauge gauge = 5; Sum sum = 7; Histogram histogram = 9; Summary summary = 11; }
  }
  message Gauge { repeated Point dataPoints = 1; }
  message Sum { repeated Point dataPoints = 1; int32 aggregationTemporality = 2; bool isMonotonic = 3; }
  message Point {
    fixed64 startTimeUnixNano = 2; fixed64 timeUnixNano = 3; repeated KeyValue attributes = 7;
    oneof value { double asDouble = 4; sfixed64 asInt = 6; }
  }
  message Histogram { repeated HistogramPoint dataPoints = 1; int32 aggregationTemporality = 2; }
  message HistogramPoint {
    fixed64 startTimeUnixNano = 2; fixed64 timeUnixNano = 3; fixed64 count = 4; double sum = 5;
    repeated fixed64 bucketCounts = 6; repeated double explicitBounds = 7;
    repeated Exemplar exemplars = 8; repeated KeyValue attributes = 9; double min = 11;
    double max = 12;
  }
  message Exemplar {
    fixed64 timeUnixNano = 2; double asDouble = 3; bytes spanId = 4; bytes traceId = 5;
  }
  message Summary { repeated SummaryPoint dataPoints = 1; }
  message SummaryPoint {
    fixed64 startTimeUnixNano = 2; fixed64 timeUnixNano = 3; fixed64 count = 4; double sum = 5;
    repeated Quantile quantileValues = 6; repeated KeyValue attributes = 7;
  }
  message Quantile { double quantile = 1; double value = 2; }

  message Reply { Partial partialSuccess = 1; }
  message Partial { int64 rejectedSpans = 1; string errorMessage = 2; }
`)

const types = { logs: "Logs", metrics: "Metrics", traces: "Traces" } as const

/** A kind of telemetry. */
export type Signal = keyof typeof types

/** Decodes a request in Protocol Buffers to the form that it has in JSON. */
export const decode = (signal: Signal, body: Uint8Array): unknown => {
  const type = root.lookupType(types[signal])
  const json: unknown = type.toObject(type.decode(body), { bytes: String, longs: String })
  return JSON.parse(JSON.stringify(json), (name, value: unknown) =>
    /^(?:parentSpanId|spanId|traceId)$/.test(name) && typeof value === "string"
      ? Buffer.from(value, "base64").toString("hex")
      : value
  )
}

/** Encodes the reply to a request of which some records were rejected. */
export const partialReply = (rejectedSpans: number, errorMessage: string): Uint8Array =>
  root.lookupType("Reply").encode({ partialSuccess: { errorMessage, rejectedSpans } }).finish()

/** A value of an attribute as JSON has it. */
export interface AnyValue {
  readonly arrayValue?: { readonly values?: ReadonlyArray<AnyValue> }
  readonly boolValue?: boolean
  readonly doubleValue?: number
  readonly intValue?: string
  readonly kvlistValue?: { readonly values?: ReadonlyArray<KeyValue> }
  readonly stringValue?: string
}

/** An attribute as JSON has it. */
export interface KeyValue {
  readonly key: string
  readonly value: AnyValue
}

/** Returns the value of an attribute. Integers become numbers. */
export const plain = (value: AnyValue): unknown => {
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(plain)
  if (value.kvlistValue !== undefined) return record(value.kvlistValue.values)
  if (value.intValue !== undefined) return Number(value.intValue)
  return value.stringValue ?? value.boolValue ?? value.doubleValue
}

/** Returns attributes as an object. */
export const record = (attributes: ReadonlyArray<KeyValue> = []): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)]))
