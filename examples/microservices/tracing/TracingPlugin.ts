/** The plugin that makes spans, and sends them to a collector if there is one. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"
import { AppRuntime, Config, Plugin } from "flange"

const TracingConfig = Config.section(
  "tracing",
  {
    /** The collector, such as `http://localhost:4318`. */
    endpoint: Schema.optionalKey(Schema.String)
  },
  { variables: { OTEL_EXPORTER_OTLP_ENDPOINT: "endpoint" } }
)

/** Spans that nothing receives. Their ids are in the log, and go to other services. */
const local = Tracer.make({ span: (options) => new Tracer.NativeSpan(options) })

export const TracingPlugin = Plugin.make("app:tracing", {
  config: [TracingConfig],
  layer: Layer.unwrap(
    Effect.gen(function* () {
      const { endpoint } = yield* TracingConfig
      const { name, version } = yield* AppRuntime
      if (endpoint === undefined) return Layer.succeed(Tracer.Tracer, local)
      return OtlpTracer.layer({
        resource: { serviceName: name, serviceVersion: version },
        url: `${endpoint}/v1/traces`
      }).pipe(Layer.provide([FetchHttpClient.layer, OtlpSerialization.layerJson]))
    })
  )
})
