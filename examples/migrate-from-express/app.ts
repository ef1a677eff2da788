/** The app: a list of plugins. `main.ts` runs it, the tests boot it. */
import { App, Preset } from "flange"
import { AuthPlugin } from "./auth/AuthPlugin.ts"
import { LegacyPlugin } from "./legacy/LegacyPlugin.ts"
import { OrdersPlugin } from "./orders/OrdersPlugin.ts"

export const app = App.make(
  "migrate-from-express",
  [...Preset.api, AuthPlugin, LegacyPlugin, OrdersPlugin],
  // `flange.toml` is read from the folder of this file, whatever the working directory is.
  { config: { directory: import.meta.dirname } }
)
