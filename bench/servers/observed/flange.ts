/** Flange with traces, metrics and its access log. */
import { App } from "flange"
import * as Logging from "flange/Logging"
import * as Metrics from "flange/Metrics"
import * as Telemetry from "flange/Telemetry"
import { tier } from "../support/Arguments.ts"

const observed = [Telemetry.plugin, Metrics.plugin]

if (tier === "bare") {
  const { bare } = await import("../effect/FlangeBare.ts")
  App.run({ ...bare, plugins: [Logging.plugin, ...observed, ...bare.plugins] })
} else {
  const { production } = await import("../effect/FlangeProduction.ts")
  App.run({ ...production, plugins: [...observed, ...production.plugins] })
}
