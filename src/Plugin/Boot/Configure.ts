/** The configure phase: the sources and sections of the configuration. */
import type * as Config from "../../Config/index.ts"
import { AppConfig } from "../AppConfig.ts"
import type { ConfigSource } from "../ConfigSource.ts"
import type { Host } from "../Host.ts"
import type * as Plugin from "../Plugin.ts"

/** Returns the sections of the app itself, of its host, and of the plugins that are acquired. */
export const sectionsOf = (
  acquired: ReadonlyArray<Plugin.Any>,
  host: Pick<Host, "config">
): ReadonlyArray<Config.AnySection> => [
  ...new Set([AppConfig, ...host.config, ...acquired.flatMap(({ manifest }) => manifest.config)])
]

/** Returns the options of `Config.load`. All plugins change the configuration and have defaults. */
export const options = <const Sections extends ReadonlyArray<Config.AnySection>>(
  plugins: ReadonlyArray<Plugin.Any>,
  sections: Sections,
  source: ConfigSource,
  secret: Config.LoadOptions<Sections>["secret"]
): Config.LoadOptions<Sections> => ({
  ...source,
  configure: plugins.map(({ id, manifest }) => ({ change: manifest.configure, plugin: id })),
  defaults: plugins.map(({ id, manifest }) => ({ plugin: id, values: manifest.defaults })),
  secret,
  sections
})
