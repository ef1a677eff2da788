/** The configure phase: the sources and sections of the configuration. */
import type * as Config from "../../Config/index.ts"
import { AppConfig } from "../AppConfig.ts"
import type { ConfigSource } from "../ConfigSource.ts"
import type { Host } from "../Host.ts"
import type * as Plugin from "../Plugin.ts"

/**
 * Returns the options of `Config.load`. All plugins change the configuration and have defaults; only
 * the sections of those that are acquired are decoded.
 */
export const options = (
  plugins: ReadonlyArray<Plugin.Any>,
  acquired: ReadonlyArray<Plugin.Any>,
  host: Pick<Host, "config">,
  source: ConfigSource
): Config.LoadOptions<ReadonlyArray<Config.AnySection>> => ({
  ...source,
  configure: plugins.map(({ id, manifest }) => ({ change: manifest.configure, plugin: id })),
  defaults: plugins.map(({ id, manifest }) => ({ plugin: id, values: manifest.defaults })),
  sections: [
    ...new Set([AppConfig, ...host.config, ...acquired.flatMap(({ manifest }) => manifest.config)])
  ]
})
