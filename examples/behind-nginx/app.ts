/** The app: a list of plugins. `main.ts` runs it, the tests boot it. */
import { App, Preset } from "flange"
import * as RateLimit from "flange/RateLimit"
import { VisitorsPlugin } from "./visitors/VisitorsPlugin.ts"

export const app = App.make(
  "behind-nginx",
  [...Preset.api, RateLimit.plugin, VisitorsPlugin],
  // `flange.toml` is read from the folder of this file, whatever the working directory is.
  { config: { directory: import.meta.dirname } }
)
