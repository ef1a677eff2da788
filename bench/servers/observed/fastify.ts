/** Fastify with the OpenTelemetry SDK, prom-client and pino. */
import "./OpenTelemetry.ts"

await import("../fastify.ts")
