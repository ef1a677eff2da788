/** The exporters of an app, and what they have in common. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { AppRuntimeShape } from "../../Plugin/AppRuntime.ts"
import * as Metering from "../../Plugin/Metering.ts"
import { Exporter, type ExporterOptions } from "./Export/Exporter.ts"
import { Losses, reasons } from "./Export/Losses.ts"
import type { Signal } from "./Otlp/Envelope.ts"
import * as MetricRecord from "./Otlp/MetricRecord.ts"
import * as ServiceResource from "./ServiceResource.ts"
import { formatOf, targetOf } from "./Targets.ts"
import type { Settings } from "./TelemetryConfig.ts"

/** What is particular to the exporter of a signal. */
interface Own<Record> extends Pick<ExporterOptions<Record>, "encode"> {
  readonly batchSize?: number | undefined
  readonly delay: Duration.Duration
  readonly queueSize?: number | undefined
}

const nanos = (millis: number): bigint => BigInt(millis) * 1_000_000n

/** The exporters of an app, which stop together. */
export class Pipeline {
  readonly #app: AppRuntimeShape
  /** The services of the app. They are complete when the app is ready. */
  #context: Context.Context<never>
  readonly #exporters = new Map<Signal, Pick<Exporter<never>, "close" | "exported" | "url">>()
  readonly #losses = new Losses((message) => {
    Effect.runForkWith(this.#context)(Effect.logWarning(message))
  })
  readonly #metrics: Exporter<MetricRecord.MetricRecord> | undefined
  readonly #resource: ReturnType<typeof ServiceResource.make>
  readonly #settings: Settings
  #timer: NodeJS.Timeout | undefined

  constructor(settings: Settings, app: AppRuntimeShape, context: Context.Context<never>) {
    this.#app = app
    this.#context = context
    this.#resource = ServiceResource.make(settings, app)
    this.#settings = settings
    this.#metrics = this.exporter("metrics", { delay: Duration.zero, encode: MetricRecord.write })
  }

  /** Creates the exporter of a signal; undefined if the signal is not exported. */
  exporter<Record>(signal: Signal, own: Own<Record>): Exporter<Record> | undefined {
    const settings = this.#settings
    const target = targetOf(settings, signal)
    if (target === undefined) return undefined
    const exporter = new Exporter<Record>({
      batchSize: own.batchSize ?? Infinity,
      delay: Duration.toMillis(own.delay),
      encode: own.encode,
      exportTimeout: Duration.toMillis(settings[signal].exportTimeout),
      format: formatOf(settings, signal),
      losses: this.#losses,
      maxBytes: settings.queueBytes,
      maxRecords: own.queueSize ?? Infinity,
      resource: this.#resource,
      signal,
      target
    })
    this.#exporters.set(signal, exporter)
    return exporter
  }

  /** The URL of each signal that is exported. */
  get urls(): ReadonlyArray<readonly [signal: Signal, url: string]> {
    return [...this.#exporters].map(([signal, { url }]) => [signal, url] as const).sort()
  }

  /** Counts spans that no exporter was given. */
  forgotten(spans: number): void {
    this.#losses.add("traces", "tail_full", spans)
  }

  /** Takes the services of the app that is ready, and begins to export its metrics. */
  start(context: Context.Context<never>): void {
    this.#context = context
    const about = { description: "Spans, log records and metric points that a collector took" }
    for (const [signal, exporter] of this.#exporters) {
      Metering.register(
        {
          ...about,
          attributes: { signal },
          id: "flange.telemetry.exported",
          read: () => exporter.exported,
          type: "counter"
        },
        context
      )
      for (const reason of reasons) {
        Metering.register(
          {
            attributes: { reason, signal },
            description: "Spans, log records and metric points that were not exported",
            id: "flange.telemetry.dropped",
            read: () => this.#losses.of(signal, reason),
            type: "counter"
          },
          context
        )
      }
    }
    if (this.#metrics === undefined) return
    const interval = Duration.toMillis(this.#settings.metrics.interval)
    this.#timer = setInterval(() => this.#read(), interval)
    this.#timer.unref()
  }

  /** Sends what waits, all signals at once, and tells what was lost. */
  readonly close: Effect.Effect<void> = Effect.promise(async () => {
    // The last values of an app that was ready.
    if (this.#timer !== undefined) this.#read()
    clearInterval(this.#timer)
    const timeout = Duration.toMillis(this.#settings.shutdownTimeout)
    await Promise.all([...this.#exporters.values()].map((exporter) => exporter.close(timeout)))
    this.#losses.close()
  })

  /**
   * Exports every metric of the app. If the last values still wait, these are left out: the next ones
   * have them too, because they count from the start of the app.
   */
  #read(): void {
    const exporter = this.#metrics
    if (exporter?.isIdle !== true) return
    const interval = [nanos(this.#app.startedAt), nanos(Date.now())] as const
    try {
      const snapshot = Metric.snapshotUnsafe(this.#context)
      for (const record of MetricRecord.ofSnapshot(snapshot, interval)) exporter.append(record)
    } catch (error) {
      Effect.runForkWith(this.#context)(Effect.logWarning("The metrics cannot be read", error))
    }
    exporter.flush()
  }
}

/** The exporters of the app; undefined if it exports nothing. */
export const CurrentPipeline: Context.Reference<Pipeline | undefined> = Context.Reference<
  Pipeline | undefined
>("flange/Telemetry/Pipeline", { defaultValue: () => undefined })
