/** The app: a list of plugins. `main.ts` runs it, the tests boot it. */
import { App, Preset } from "flange"
import * as Cache from "flange/Cache"
import { AuthPlugin } from "./auth/AuthPlugin.ts"
import { TokenHintPlugin } from "./auth/TokenHintPlugin.ts"
import { MePlugin } from "./me/MePlugin.ts"
import { OrdersPlugin } from "./orders/OrdersPlugin.ts"
import { StatusPlugin } from "./status/StatusPlugin.ts"
import { StringsPlugin } from "./strings/StringsPlugin.ts"

/** `flange.toml` is read from the folder of this file, whatever the working directory is. */
export const config = { directory: import.meta.dirname }

export const app = App.make(
  "recipe-api",
  [
    ...Preset.api,
    AuthPlugin,
    Cache.plugin,
    MePlugin,
    OrdersPlugin,
    StatusPlugin,
    StringsPlugin,
    TokenHintPlugin
  ],
  { config }
)
