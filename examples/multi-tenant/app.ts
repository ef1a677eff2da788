/** The app: a list of plugins. `main.ts` runs it, the tests boot it. */
import { App, Preset } from "flange"
import * as Database from "flange/Database"
import { AuthPlugin } from "./auth/AuthPlugin.ts"
import { NotesPlugin } from "./notes/NotesPlugin.ts"

export const app = App.make(
  "multi-tenant",
  [...Preset.api, Database.plugin, Database.transactional(), AuthPlugin, NotesPlugin],
  // `flange.toml` is read from the folder of this file, whatever the working directory is.
  { config: { directory: import.meta.dirname } }
)
