/** The state that the connections of a listener share. */
import type { Serving } from "../../Exchange/Serving.ts"
import type { Serve } from "../../Exchange/Wire.ts"
import type * as Drain from "../Drain.ts"
import type { Opener } from "../Opener.ts"
import type { Clock } from "./Clock.ts"
import type { Limits } from "./Parse/FieldSection.ts"
import type { Timeouts } from "./Timeouts.ts"

/** A connection, as its listener sees it. */
export interface TimedConnection extends Drain.Connection {
  /** Ends the connection or its request if it has waited too long. */
  readonly tick: (now: number) => void
}

/** The state that the connections of a listener share. */
export interface ListenerState {
  readonly clock: Clock
  readonly connections: Set<TimedConnection>
  /** Whether a client that has ended its side still gets replies. */
  readonly halfClose: boolean
  /** Whether the last reply on each connection has `Connection: close`. */
  isDraining: boolean
  readonly limits: Limits
  readonly maxPipelined: number
  readonly opener: Opener
  readonly serve: Serve
  readonly serving: Serving
  readonly timeouts: Timeouts
  /** Whether the route of a method and target can upgrade the connection. */
  readonly upgrades: (method: string, target: string) => boolean
}
