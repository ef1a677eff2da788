/** Listeners: they turn bytes into exchanges. */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { BindError } from "../../Plugin/Errors.ts"
import type { Bound } from "../../Plugin/Host.ts"
import type { Serving } from "../Exchange/Serving.ts"
import type { Serve } from "../Exchange/Wire.ts"
import type { ServerConfig } from "../ServerConfig.ts"

/** A listener. */
export interface Listener {
  /** Binds, and returns the address and the drain. */
  (options: {
    readonly config: (typeof ServerConfig)["Service"]
    /** Answers each request. */
    readonly serve: Serve
    /** The state that the exchanges share. */
    readonly serving: Serving
    /**
     * Whether the route of a method and target can upgrade the connection. Other routes serve a
     * request that offers an upgrade like any other request.
     */
    readonly upgrades: (method: string, target: string) => boolean
  }): Effect.Effect<Bound, BindError, Scope.Scope>
  /** Returns the listener of a port. Undefined if ports are not opened. */
  readonly port?: (name: string) => Listener
  /** Fails if the listener could not bind now. Undefined for a listener without a socket. */
  readonly probe?: (config: (typeof ServerConfig)["Service"]) => Effect.Effect<void, BindError>
}
