/** The configure phase: decodes the configuration of the plugins that are acquired. */
import * as Config from "../../Config/index.ts"
import { AppConfig } from "../AppConfig.ts"
import type { ConfigSource } from "../ConfigSource.ts"
import type { Host } from "../Host.ts"
import type * as Plugin from "../Plugin.ts"

/**
 * Loads the configuration. All plugins change it and have defaults; only the sections of those that
 * are acquired are decoded.
 */
export const load = (
  plugins: ReadonlyArray<Plugin.Any>,
  acquired: ReadonlyArray<Plugin.Any>,
  host: Host,
  source: ConfigSource
) =>
  Config.load({
    ...source,
    configure: plugins.map(({ id, manifest }) => ({ change: manifest.configure, plugin: id })),
    defaults: plugins.map(({ id, manifest }) => ({ plugin: id, values: manifest.defaults })),
    sections: [
      ...new Set([
        AppConfig,
        ...host.config,
        ...acquired.flatMap(({ manifest }) => manifest.config)
      ])
    ]
  })
