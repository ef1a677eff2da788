/** What turns bytes into exchanges. */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { BindError } from "../../Plugin/Errors.ts"
import type { Bound } from "../../Plugin/Lifecycle.ts"
import type { Serving } from "../Exchange/Serving.ts"
import type { Serve } from "../Exchange/Wire.ts"
import type { ServerConfig } from "../ServerConfig.ts"

/** What a listener is given. */
export interface Options {
  readonly config: (typeof ServerConfig)["Service"]
  /** Answers each request. */
  readonly serve: Serve
  /** What the exchanges share: the app's services, and what is under way. */
  readonly serving: Serving
}

/** Binds, and returns what the boot engine needs to drain it. */
export type Listener = (options: Options) => Effect.Effect<Bound, BindError, Scope.Scope>
