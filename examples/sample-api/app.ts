/** The app: a list of plugins. `main.ts` runs it, the tests boot it, `client.ts` has its types. */
import { App, Preset } from "flange"
import * as Database from "flange/Database"
import { ItemsPlugin } from "./items/ItemsPlugin.ts"

export const app = App.make("sample-api", [
  ...Preset.api,
  Database.plugin,
  Database.transactional(),
  ItemsPlugin
])
