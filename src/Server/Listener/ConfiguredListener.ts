/** The listener that the configuration names. */
import * as Effect from "effect/Effect"
import * as Bind from "./Bind.ts"
import type { Listener } from "./Listener.ts"

const bind: Listener = (options) =>
  Effect.flatMap(
    Effect.promise((): Promise<{ readonly listen: Listener }> => {
      const { listener } = options.config
      if (listener === "proxied") return import("./Proxied/ProxiedListener.ts")
      if (listener === "auto" && "Bun" in globalThis) return import("./Fetch/BunListener.ts")
      if (listener === "auto" && "Deno" in globalThis) return import("./Fetch/DenoListener.ts")
      return import("./Node/NodeListener.ts")
    }),
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
          config.port,
          config.tls === undefined ? "http" : "https"
        )) satisfies Listener["probe"]
})
