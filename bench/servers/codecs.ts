/** The endpoints of `codecs.ts` with Flange. */
import { App } from "flange"
import { Codecs } from "./effect/CodecsPlugin.ts"
import { Ready, server } from "./effect/FlangeHost.ts"

App.run(
  App.make("bench", [Codecs, Ready], { config: { environment: "production", values: { server } } })
)
