/** Presets: lists of batteries to begin an app with. */
import * as Health from "./Layers/Health/index.ts"
import * as Logging from "./Layers/Logging/index.ts"
import * as OpenApi from "./Layers/OpenApi/index.ts"
import * as Telemetry from "./Layers/Telemetry/index.ts"

/** The batteries that every service needs: its log, and health endpoints for orchestrators. */
export const minimal = [Logging.plugin, Health.plugin] as const

/**
 * The batteries for an HTTP API: `minimal`, the OpenAPI document of the API with pages that show it,
 * and the export of telemetry, which is off until a collector is named.
 *
 * @example
 * ```ts
 * import { App, Plugin, Preset } from "flange"
 *
 * const Items = Plugin.make("app:items", {})
 * const app = App.make("shop", [...Preset.api, Items])
 * Object.keys(app.api.groups) // => ["health", "probes"]
 * ```
 */
export const api = [...minimal, OpenApi.plugin, Telemetry.plugin] as const
