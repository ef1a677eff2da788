/** The app: a list of plugins. `main.ts` runs it, the tests boot it. */
import { App, Plugin, Preset } from "flange"
import * as Files from "flange/Files"
import * as ObjectStore from "flange/ObjectStore"
import { FilesPlugin } from "./files/FilesPlugin.ts"

/** The page that sends files. Its script and its style are files beside it. */
const PagePlugin = Plugin.make("app:page", {
  routes: [Files.serve("/", { access: "public", directory: new URL("./public", import.meta.url) })]
})

export const app = App.make(
  "uploads",
  [...Preset.api, ObjectStore.plugin, FilesPlugin, PagePlugin],
  // `flange.toml` is read from the folder of this file, whatever the working directory is.
  { config: { directory: import.meta.dirname } }
)
