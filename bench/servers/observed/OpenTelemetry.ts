/**
 * The OpenTelemetry SDK, as its documentation and that of `@fastify/otel` start it. The `OTEL_` variables
 * say where spans go, in which protocol, and how many are sampled. Import it before the framework.
 */
import { FastifyOtelInstrumentation } from "@fastify/otel"
import { HttpInstrumentation } from "@opentelemetry/instrumentation-http"
import { NodeSDK } from "@opentelemetry/sdk-node"

const sdk = new NodeSDK({
  instrumentations: [
    new HttpInstrumentation(),
    new FastifyOtelInstrumentation({ registerOnInitialization: true })
  ]
})
sdk.start()

process.once("SIGTERM", () => {
  void sdk.shutdown().finally(() => process.exit(0))
})
