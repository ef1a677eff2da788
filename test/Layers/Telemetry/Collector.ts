/** A collector of OTLP/HTTP in the process of the test, which can have any trouble. */
import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { gunzipSync } from "node:zlib"
import * as Effect from "effect/Effect"
import { decode, type KeyValue, record, type Signal } from "./otlp.ts"

/** A request that the collector got. */
export interface Received {
  readonly body: Record<string, ReadonlyArray<Record<string, unknown>>>
  readonly bytes: number
  readonly headers: IncomingMessage["headers"]
  readonly signal: Signal
  readonly url: string
}

/** Answers a request, or does not. */
export type Answer = (response: ServerResponse, request: Received) => unknown

/** A span as JSON has it. */
export interface Span {
  readonly attributes: Record<string, unknown>
  readonly endTimeUnixNano: string
  readonly events: ReadonlyArray<{
    readonly attributes: Record<string, unknown>
    readonly name: string
  }>
  readonly flags: number
  readonly kind: number
  readonly name: string
  readonly parentSpanId?: string
  readonly spanId: string
  readonly startTimeUnixNano: string
  readonly status?: { readonly code: number; readonly message?: string }
  readonly traceId: string
}

/** A log record as JSON has it. */
export interface LogRecord {
  readonly attributes: Record<string, unknown>
  readonly body: { readonly stringValue: string }
  readonly severityNumber: number
  readonly severityText: string
  readonly spanId?: string
  readonly timeUnixNano: string
  readonly traceId?: string
}

/** A metric as JSON has it. */
export interface Metric {
  readonly description?: string
  readonly name: string
  readonly unit?: string
}

/** Accepts a request. */
export const accept: Answer = (response) =>
  response.writeHead(200, { "content-type": "application/x-protobuf" }).end()

/** Returns an answer with a status. */
export const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(code, headers).end()

const kinds = {
  logs: ["resourceLogs", "scopeLogs", "logRecords"],
  metrics: ["resourceMetrics", "scopeMetrics", "metrics"],
  traces: ["resourceSpans", "scopeSpans", "spans"]
} as const

type Json = { readonly [name: string]: unknown }

const members = (value: unknown, name: string): ReadonlyArray<Json> =>
  ((value as Json)[name] ?? []) as ReadonlyArray<Json>

/** The collector. */
export class Collector {
  /** Answers every request. */
  answer: Answer = accept
  readonly received: Array<Received> = []
  #url = ""
  #waiting = new Set<() => void>()

  get url(): string {
    return this.#url
  }

  /** Waits until the requests fulfil a condition. */
  async until(isEnough: () => boolean): Promise<void> {
    while (!isEnough()) await new Promise<void>((resolve) => this.#waiting.add(resolve))
  }

  get logs(): ReadonlyArray<LogRecord> {
    return this.#records("logs") as ReadonlyArray<unknown> as ReadonlyArray<LogRecord>
  }

  get metrics(): ReadonlyArray<Metric & Json> {
    return this.#records("metrics") as ReadonlyArray<unknown> as ReadonlyArray<Json & Metric>
  }

  get spans(): ReadonlyArray<Span> {
    return this.#records("traces").map((span) => ({
      ...span,
      events: members(span, "events").map((event) => withAttributes(event))
    })) as ReadonlyArray<unknown> as ReadonlyArray<Span>
  }

  /** Returns the attributes of the service. */
  resource(): Record<string, unknown> {
    const [request] = this.received
    const { resource } = request!.body[kinds[request!.signal][0]]![0]!
    return record((resource as { readonly attributes: ReadonlyArray<KeyValue> }).attributes)
  }

  #records(signal: Signal): ReadonlyArray<Json> {
    const [resources, scopes, records] = kinds[signal]
    return this.received
      .filter((request) => request.signal === signal)
      .flatMap(({ body }) => members(body, resources))
      .flatMap((resource) => members(resource, scopes))
      .flatMap((scope) => members(scope, records))
      .map(withAttributes)
  }

  /** Takes a request and answers it. */
  async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Array<Buffer> = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const sent = Buffer.concat(chunks)
    const raw = request.headers["content-encoding"] === "gzip" ? gunzipSync(sent) : sent
    const signal = /(logs|metrics|traces)$/.exec(request.url!)![1] as Signal
    const body =
      request.headers["content-type"] === "application/json"
        ? JSON.parse(String(raw))
        : decode(signal, raw)
    const { headers, url } = request
    const received = { body, bytes: sent.length, headers, signal, url: url! }
    this.received.push(received)
    this.answer(response, received)
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }

  /** Starts a collector, which stops with the scope. */
  static readonly make = Effect.acquireRelease(
    Effect.promise(async () => {
      const collector = new Collector()
      const server = createServer((request, response) => {
        // A client may leave in the middle of a request.
        collector.take(request, response).catch(() => response.destroy())
      })
      server.listen(0, "127.0.0.1")
      await once(server, "listening")
      collector.#url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      return { collector, server }
    }),
    ({ server }) =>
      Effect.promise(async () => {
        server.closeAllConnections()
        server.close()
        await once(server, "close")
      })
  ).pipe(Effect.map(({ collector }) => collector))
}

const withAttributes = (value: Json): Json => ({
  ...value,
  attributes: record(value["attributes"] as ReadonlyArray<KeyValue> | undefined)
})
