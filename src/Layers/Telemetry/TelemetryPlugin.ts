/** The battery as a plugin. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Tracer from "effect/Tracer"
import { AppRuntime } from "../../Plugin/AppRuntime.ts"
import * as Plugin from "../../Plugin/Plugin.ts"
import { type LogOutput, LogOutputs } from "../../Server/Exchange/LogOutputs.ts"
import { Sampling } from "../../Server/Exchange/ServerSpan.ts"
import type { Signal } from "./Otlp/Envelope.ts"
import * as LogEntry from "./Otlp/LogEntry.ts"
import * as SpanRecord from "./Otlp/SpanRecord.ts"
import { CurrentPipeline, Pipeline } from "./Pipeline.ts"
import { targetOf } from "./Targets.ts"
import { type Settings, TelemetryConfig } from "./TelemetryConfig.ts"
import * as AppTracer from "./Trace/AppTracer.ts"
import type { RecordedSpan, Trace } from "./Trace/RecordedSpan.ts"
import * as Sampler from "./Trace/Sampler.ts"
import { Tail } from "./Trace/Tail.ts"

const signals: ReadonlyArray<Signal> = ["logs", "metrics", "traces"]

/** A span keeps no more events and links. */
const maxEvents = 128
const maxLinks = 128

/** Returns the tracer and the sampling of the app; nothing if it exports no traces. */
const tracing = (settings: Settings, pipeline: Pipeline): Context.Context<never> => {
  const { attributeCount, attributeLength, tail, traces } = settings
  const exporter = pipeline.exporter<RecordedSpan>("traces", {
    ...traces,
    encode: (sink, span) => {
      SpanRecord.write(sink, span, attributeLength)
      return 1
    }
  })
  if (exporter === undefined) return Context.empty()
  const sampler = Sampler.make(settings.sampler, settings.samplerArgument)
  const sampled: Trace = {
    end: (span) => exporter.append(span),
    limits: {
      attributes: attributeCount,
      events: maxEvents,
      links: maxLinks,
      valueLength: attributeLength
    },
    traceId: sampler.traceId
  }
  const { errors, maxSpans, slowerThan } = tail
  const held =
    errors || slowerThan !== undefined
      ? new Tail(
          sampled,
          {
            errors,
            maxSpans,
            slowerThan: slowerThan && Duration.toNanosUnsafe(slowerThan)
          },
          (spans) => pipeline.forgotten(spans)
        )
      : undefined
  return Context.make(Tracer.Tracer, AppTracer.make(sampler, sampled, held)).pipe(
    Context.add(Sampling, AppTracer.sample(sampler, held))
  )
}

/** Returns the loggers and the outputs of the log of the app, with one that exports entries. */
const logging = (settings: Settings, pipeline: Pipeline) =>
  Effect.gen(function* () {
    const { attributeLength, logs } = settings
    const exporter = pipeline.exporter<LogEntry.LogEntry>("logs", {
      ...logs,
      encode: (sink, entry) => {
        LogEntry.write(sink, entry, attributeLength)
        return 1
      }
    })
    if (exporter === undefined) return Context.empty()
    const logger = Logger.make((options) => exporter.append(LogEntry.ofLogger(options)))
    const output: LogOutput = {
      access: (route) => {
        const entryOf = LogEntry.ofAccess(route)
        return (record) => exporter.append(entryOf(record))
      },
      logger
    }
    return Context.make(
      Logger.CurrentLoggers,
      new Set([...(yield* Logger.CurrentLoggers), logger])
    ).pipe(Context.add(LogOutputs, [...(yield* LogOutputs), output]))
  })

/** Logs where each signal goes, and warns of the port that collectors have for gRPC. */
const announce = ({ sampler, samplerArgument }: Settings, { urls }: Pipeline) =>
  Effect.gen(function* () {
    const targets = urls.map(([signal, url]) => {
      // A query may have a secret.
      const { origin, pathname } = new URL(url)
      const share = sampler.endsWith("ratio") ? `${sampler} ${samplerArgument}` : sampler
      return `${signal} to ${origin}${pathname}${signal === "traces" ? ` (${share})` : ""}`
    })
    yield* Effect.logInfo(`Telemetry is exported: ${targets.join(", ")}`)
    const grpc = urls.map(([, url]) => new URL(url)).find(({ port }) => port === "4317")
    if (grpc === undefined) return
    yield* Effect.logWarning(
      `Telemetry goes to the port of ${grpc.origin}, where collectors usually expect gRPC. Flange sends OTLP over HTTP: write the collector's HTTP port, usually 4318.`
    )
  })

/**
 * Exports traces, logs and metrics over OTLP/HTTP, if `telemetry.endpoint` or the variable
 * `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector. Without one it does nothing and costs nothing.
 *
 * Records wait in a queue of bounded size. A collector that is slow or does not answer never delays
 * a request, and delays the end of the process by at most `telemetry.shutdownTimeout`. What is
 * dropped is counted in the metric `flange.telemetry.dropped` and told in the log.
 *
 * @example
 * ```ts
 * import { App } from "flange"
 * import * as Telemetry from "flange/Telemetry"
 *
 * const app = App.make("shop", [Telemetry.plugin])
 * App.describe(app).plugins[0]!.config // => ["telemetry"]
 * ```
 */
export const plugin = Plugin.make("flange:telemetry", {
  config: [TelemetryConfig],
  layer: Layer.effectContext(
    Effect.gen(function* () {
      const settings = yield* TelemetryConfig
      if (signals.every((signal) => targetOf(settings, signal) === undefined)) {
        return Context.empty()
      }
      const app = yield* AppRuntime
      const context = yield* Effect.context<never>()
      const pipeline = yield* Effect.acquireRelease(
        Effect.sync(() => new Pipeline(settings, app, context)),
        (pipeline) => pipeline.close
      )
      return Context.mergeAll(
        tracing(settings, pipeline),
        yield* logging(settings, pipeline),
        Context.make(CurrentPipeline, pipeline)
      )
    })
  ),
  order: { first: true },
  ready: () =>
    Effect.gen(function* () {
      const pipeline = yield* CurrentPipeline
      if (pipeline === undefined) return
      pipeline.start(yield* Effect.context<never>())
      yield* announce(yield* TelemetryConfig, pipeline)
    })
})
