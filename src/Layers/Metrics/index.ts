/** Metrics: how many requests, how long they take, and what the process uses, for Prometheus. */

export { MetricsConfig } from "./MetricsConfig.ts"
export { plugin } from "./MetricsPlugin.ts"
