/** Lists of batteries to begin an app with. */
import * as Health from "./Layers/Health/index.ts"
import * as Logging from "./Layers/Logging/index.ts"
import * as OpenApi from "./Layers/OpenApi/index.ts"

/**
 * What a service cannot do without: its log, and what an orchestrator asks it.
 */
export const minimal = [Logging.plugin, Health.plugin] as const

/**
 * What an HTTP API begins with: `minimal`, and its OpenAPI document with pages.
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
export const api = [...minimal, OpenApi.plugin] as const
