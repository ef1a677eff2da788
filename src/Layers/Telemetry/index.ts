/** Traces, logs and metrics for a collector of OpenTelemetry, over OTLP/HTTP. */

export { TelemetryConfig } from "./TelemetryConfig.ts"
export { plugin } from "./TelemetryPlugin.ts"
