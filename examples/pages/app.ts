/** The app: a list of plugins. `main.ts` runs it, the tests boot it. */
import { App, Preset } from "flange"
import * as SecureHeaders from "flange/SecureHeaders"
import * as Templates from "flange/Templates"
import * as BooksPages from "./books/BooksPages.ts"
import { BooksPlugin } from "./books/BooksPlugin.ts"

const TemplatesPlugin = Templates.plugin({
  sources: [Templates.directory(new URL("./templates", import.meta.url))],
  templates: [BooksPages.List, BooksPages.Lost, BooksPages.Read]
})

export const app = App.make("pages", [
  ...Preset.api,
  SecureHeaders.plugin,
  TemplatesPlugin,
  BooksPlugin
])
