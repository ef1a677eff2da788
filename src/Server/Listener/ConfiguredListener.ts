/** The listener that the configuration names. */
import * as Effect from "effect/Effect"
import type { Listener } from "./Listener.ts"

/** Listens with the listener that `server.listener` names, and loads only that one. */
export const listen: Listener = (options) =>
  Effect.flatMap(
    Effect.promise(() =>
      options.config.listener === "proxied"
        ? import("./Proxied/ProxiedListener.ts")
        : import("./Node/NodeListener.ts")
    ),
    ({ listen }) => listen(options)
  )
