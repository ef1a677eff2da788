/** What a listener does with a connection of any protocol. */
import type * as Drain from "./Drain.ts"

/** An open connection of any protocol. */
export interface Tracked extends Drain.Connection {
  /** Tells the client that the connection takes no more requests. */
  readonly announceClose: () => void
  /** Ends the connection if its client takes too long. Called at intervals. */
  readonly tick: (now: number) => void
}

/** The part of a listener that tracks connections which are no longer HTTP. */
export interface Tracking {
  readonly connections: {
    readonly add: (connection: Tracked) => unknown
    readonly delete: (connection: Tracked) => unknown
  }
  /** In milliseconds. */
  readonly timeouts: {
    /** Longest time without progress of a write. */
    readonly writeTimeout: number
  }
}
