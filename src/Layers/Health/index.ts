/** Health: liveness, readiness, and what the components of the app are doing. */

export { Component, HealthApi, ProbesApi, Report } from "./HealthApi.ts"
export { HealthConfig } from "./HealthConfig.ts"
export { HealthMonitor, type HealthMonitorShape } from "./HealthMonitor.ts"
export { plugin } from "./HealthPlugin.ts"
