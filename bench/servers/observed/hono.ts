/** Hono with the OpenTelemetry SDK, prom-client and pino. */
import "./OpenTelemetry.ts"

await import("../hono.ts")
