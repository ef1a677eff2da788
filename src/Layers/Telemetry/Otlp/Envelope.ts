/** The message around a batch of records: it says which service made them. */
import { version } from "../../../Plugin/Version.ts"
import { Json } from "./Json.ts"
import { Protobuf } from "./Protobuf.ts"
import { type Sink, unbounded } from "./Sink.ts"
import * as Values from "./Values.ts"

/** A kind of telemetry. */
export type Signal = "logs" | "metrics" | "traces"

/** The format of a request to the collector. */
export interface Format {
  readonly contentType: string
  readonly make: () => Sink
  /** Returns the parts of the body of a request with these records. */
  readonly wrap: (
    signal: Signal,
    resource: Resource,
    records: Uint8Array<ArrayBuffer>
  ) => ReadonlyArray<Uint8Array<ArrayBuffer>>
}

/** The attributes of the service. */
export type Resource = Readonly<Record<string, number | string>>

/** The names that a signal has in JSON. */
const names = {
  logs: ["resourceLogs", "scopeLogs", "logRecords"],
  metrics: ["resourceMetrics", "scopeMetrics", "metrics"],
  traces: ["resourceSpans", "scopeSpans", "spans"]
} as const satisfies Record<Signal, ReadonlyArray<string>>

const writeResource = (sink: Sink, resource: Resource): void => {
  const mark = sink.open(1, "resource", unbounded)
  Values.attributes(sink, 1, Object.entries(resource).flat(), Infinity)
  sink.close(mark)
}

const writeScope = (sink: Sink): void => {
  const mark = sink.open(1, "scope", unbounded)
  sink.text(1, "name", "flange")
  sink.text(2, "version", version)
  sink.close(mark)
}

const textOf = (write: (sink: Sink) => void): string => {
  const sink = new Json()
  write(sink)
  return new TextDecoder().decode(sink.take())
}

const bytesOf = (write: (sink: Sink) => void): Uint8Array<ArrayBuffer> => {
  const sink = new Protobuf()
  write(sink)
  return sink.take()
}

/** Returns the tag and the length of a message with number 1 or 2 that holds so many bytes. */
const head = (field: number, size: number): Uint8Array<ArrayBuffer> => {
  const bytes = [(field << 3) | 2]
  let rest = size
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return Uint8Array.from([...bytes, rest])
}

const json: Format = {
  contentType: "application/json",
  make: () => new Json(),
  wrap: (signal, resource, records) => {
    const [resources, scopes, list] = names[signal]
    const encoder = new TextEncoder()
    return [
      encoder.encode(
        `{"${resources}":[{${textOf((sink) => writeResource(sink, resource))},` +
          `"${scopes}":[{${textOf(writeScope)},"${list}":[`
      ),
      records,
      encoder.encode("]}]}]}")
    ]
  }
}

const protobuf: Format = {
  contentType: "application/x-protobuf",
  make: () => new Protobuf(),
  wrap: (_signal, resource, records) => {
    const scope = bytesOf(writeScope)
    const scopeHead = head(2, scope.length + records.length)
    const about = bytesOf((sink) => writeResource(sink, resource))
    const size = about.length + scopeHead.length + scope.length + records.length
    return [head(1, size), about, scopeHead, scope, records]
  }
}

/** The formats by the name of their protocol. */
export const formats = { "http/json": json, "http/protobuf": protobuf } as const
