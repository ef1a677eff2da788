/** The listener that the configuration names. */
import * as Effect from "effect/Effect"
import * as Bind from "./Bind.ts"
import type { Listener } from "./Listener.ts"

const bind: Listener = (options) =>
  Effect.flatMap(
    Effect.promise(() =>
      options.config.listener === "proxied"
        ? import("./Proxied/ProxiedListener.ts")
        : import("./Node/NodeListener.ts")
    ),
    ({ listen }) => listen(options)
  )

/** Listens with the listener that `server.listener` names, and loads only that one. */
export const listen: Listener = Object.assign(bind, {
  port: (): Listener => listen,
  probe: ((config) =>
    config.listener === "proxied" && config.socket !== undefined
      ? Bind.probeUnix(config.socket)
      : Bind.probeTcp(
          config.host ?? Bind.defaultHosts[config.listener],
          config.port
        )) satisfies Listener["probe"]
})
