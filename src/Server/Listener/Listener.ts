/** What turns bytes into exchanges. */
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { BindError } from "../../Plugin/Errors.ts"
import type { Bound } from "../../Plugin/Lifecycle.ts"
import type { Exchange } from "../Codec/GeneralLane.ts"
import type { Dispatch } from "../Exchange/Wire.ts"
import type { ServerConfig } from "../ServerConfig.ts"

/** What a listener is given. */
export interface Options {
  readonly config: (typeof ServerConfig)["Service"]
  /** Every service of the app; the exchange runs in it. */
  readonly context: Context.Context<unknown>
  /** The compiled lane; where it says `false` the exchange answers. */
  readonly dispatch: Dispatch
  /** The general lane. */
  readonly exchange: Exchange
  /** Interrupts what still runs in the compiled lane. */
  readonly interrupt: Effect.Effect<void>
}

/** Binds, and gives what the boot engine needs to drain it. */
export type Listener = (options: Options) => Effect.Effect<Bound, BindError, Scope.Scope>
