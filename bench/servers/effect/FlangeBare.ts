/** `bare` with Flange. */
import { App, Plugin, Route } from "flange"
import * as Logging from "flange/Logging"
import { accessLog, routes } from "../support/Arguments.ts"
import { resourceApis } from "./BareApi.ts"
import { Bare } from "./BarePlugin.ts"
import { Ready, server } from "./FlangeHost.ts"

const resources = () =>
  Plugin.make("bench:resources", {
    routes: resourceApis(routes).map(({ api, read }) =>
      Route.public(api, (handlers) => handlers.handleAll({ read }))
    )
  })

/** `bare` has no access log, as with the peers; `accesslog.ts` asks for one. */
export const bare = App.make(
  "bench",
  [
    Bare,
    Ready,
    ...(accessLog === "on" ? [Logging.plugin] : []),
    ...(routes > 0 ? [resources()] : [])
  ],
  { config: { environment: "production", values: { server } } }
)
