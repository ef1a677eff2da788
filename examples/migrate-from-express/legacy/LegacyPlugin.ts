/** The plugin that mounts the Express app: once for callers of `/admin`, and once for all the rest. */
import * as Effect from "effect/Effect"
import { Mount, Plugin, Route } from "flange"
import { legacyApp } from "./legacyApp.ts"

const legacy = Effect.succeed(legacyApp)

export const LegacyPlugin = Plugin.make("app:legacy", {
  routes: [
    Route.raw("legacy", Mount.layer("/*", legacy), { access: "public" }),
    Route.raw("legacyAdmin", Mount.layer("/admin/*", legacy), { access: "protected" })
  ]
})
