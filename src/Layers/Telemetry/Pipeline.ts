/** The exporters of an app, and what they have in common. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { AppRuntimeShape } from "../../Plugin/AppRuntime.ts"
import { Exporter, type ExporterOptions } from "./Export/Exporter.ts"
import { Losses } from "./Export/Losses.ts"
import type { Signal } from "./Otlp/Envelope.ts"
import * as ServiceResource from "./ServiceResource.ts"
import { formatOf, targetOf } from "./Targets.ts"
import type { Settings } from "./TelemetryConfig.ts"

/** What is particular to the exporter of a signal. */
interface Own<Record> extends Pick<ExporterOptions<Record>, "encode"> {
  readonly batchSize?: number | undefined
  readonly delay: Duration.Duration
  readonly queueSize?: number | undefined
}

/** The exporters of an app, which stop together. */
export class Pipeline {
  /** The services of the app. They are complete when the app is ready. */
  #context: Context.Context<never>
  readonly #exporters: Array<Pick<Exporter<never>, "close">> = []
  readonly #losses = new Losses(
    (message) => {
      Effect.runForkWith(this.#context)(Effect.logWarning(message))
    },
    (signal, reason, count) => this.#count("dropped", { reason, signal }, count)
  )
  /** Writes what has to be written before the exporters stop. */
  readonly #onClose: Array<() => void> = []
  readonly #resource: ReturnType<typeof ServiceResource.make>
  readonly #settings: Settings

  constructor(settings: Settings, app: AppRuntimeShape, context: Context.Context<never>) {
    this.#context = context
    this.#resource = ServiceResource.make(settings, app)
    this.#settings = settings
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
      onExported: (count) => this.#count("exported", { signal }, count),
      resource: this.#resource,
      signal,
      target
    })
    this.#exporters.push(exporter)
    return exporter
  }

  /** Counts spans that no exporter was given. */
  forgotten(spans: number): void {
    this.#losses.add("traces", "tail_full", spans)
  }

  /** Takes the services of the app that is ready. */
  start(context: Context.Context<never>): void {
    this.#context = context
  }

  /** Sends what waits, all signals at once, and tells what was lost. */
  readonly close: Effect.Effect<void> = Effect.promise(async () => {
    const timeout = Duration.toMillis(this.#settings.shutdownTimeout)
    for (const write of this.#onClose) write()
    await Promise.all(this.#exporters.map((exporter) => exporter.close(timeout)))
    this.#losses.close()
  })

  #count(
    what: "dropped" | "exported",
    attributes: Readonly<Record<string, string>>,
    count: number
  ): void {
    const counter = Metric.counter(`flange.telemetry.${what}`, {
      attributes,
      description: `Spans, log records and metric points that were ${what}`,
      incremental: true
    })
    counter.updateUnsafe(count, this.#context)
  }
}

/** The exporters of the app; undefined if it exports nothing. */
export const CurrentPipeline: Context.Reference<Pipeline | undefined> = Context.Reference<
  Pipeline | undefined
>("flange/Telemetry/Pipeline", { defaultValue: () => undefined })
