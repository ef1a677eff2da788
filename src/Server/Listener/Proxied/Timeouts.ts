/** The timeouts of connections. */
import type { Clock } from "./Clock.ts"

/** How long a connection waits, in milliseconds. */
export interface Timeouts {
  /** Silence within a body. */
  readonly bodyTimeout: number
  /** A head, from its first octet. */
  readonly headersTimeout: number
  /** The next request. */
  readonly keepAlive: number
  /** A head or a body, from its first octet. */
  readonly requestTimeout: number
  /** Time without progress of a write. */
  readonly writeTimeout: number
}

/** The event that a connection waits for: the rest of a body or head, or a request. */
export type Awaited = "body" | "head" | "request"

/**
 * Whether a connection has waited too long. `since` is the time of the last bytes,
 * `requestSince` the time at which the head or body began.
 */
export const isOverdue = (
  awaited: Awaited,
  timeouts: Timeouts,
  clock: Clock,
  since: number,
  requestSince: number
): boolean => {
  switch (awaited) {
    case "body":
      return (
        clock.hasPassed(timeouts.bodyTimeout, since) ||
        clock.hasPassed(timeouts.requestTimeout, requestSince)
      )
    case "head":
      return clock.hasPassed(timeouts.headersTimeout, requestSince)
    case "request":
      return clock.hasPassed(timeouts.keepAlive, since)
  }
}
