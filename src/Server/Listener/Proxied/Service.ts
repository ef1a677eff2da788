/** The state that the connections of a listener share. */
import type { Serve } from "../../Exchange/Wire.ts"
import type * as Drain from "../Drain.ts"
import type { Opener } from "../Opener.ts"
import type { Clock } from "./Clock.ts"
import type { Limits } from "./Parse/Fields.ts"
import type { Timeouts } from "./Timeouts.ts"

/** A connection, as the listener sees it. */
export interface Served extends Drain.Connection {
  /** Ends what has waited too long. */
  readonly tick: () => void
}

/** The state that the connections of a listener share. */
export interface Service {
  readonly clock: Clock
  readonly connections: Set<Served>
  /** Whether a client may end its side and still wait for replies. */
  readonly halfClose: boolean
  /** Whether every last reply on a connection says that it closes. */
  isDraining: boolean
  readonly limits: Limits
  readonly maxPipelined: number
  readonly opener: Opener
  readonly serve: Serve
  readonly timeouts: Timeouts
}
