/** The app: a list of plugins. `main.ts` runs it, the tests boot it. */
import { App, Preset } from "flange"
import * as Database from "flange/Database"
import { AuthPlugin } from "./auth/AuthPlugin.ts"
import { MePlugin } from "./me/MePlugin.ts"
import { ProductsPlugin } from "./products/ProductsPlugin.ts"
import { UsersPlugin } from "./users/UsersPlugin.ts"

export const app = App.make(
  "basic",
  [
    ...Preset.api,
    Database.plugin,
    Database.transactional(),
    AuthPlugin,
    MePlugin,
    ProductsPlugin,
    UsersPlugin
  ],
  // `flange.toml` is read from the folder of this file, whatever the working directory is.
  { config: { directory: import.meta.dirname } }
)
