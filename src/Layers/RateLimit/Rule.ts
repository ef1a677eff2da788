/** What a store is asked, and what it answers. */
import type { Algorithm } from "../../Contract/RatePolicy.ts"

/** A limit as a store applies it. */
export interface Rule {
  readonly algorithm: Algorithm
  /** The most units at once: `limit` for a sliding window. */
  readonly capacity: number
  /** The units that a request takes, `capacity` at most. */
  readonly cost: number
  /** Units per window. */
  readonly limit: number
  readonly windowMillis: number
}

/** The units to take, and the count to take them from. */
export interface Take {
  /** Who is counted, such as `caller:default:ada`. */
  readonly key: string
  /** The name of the limit. */
  readonly name: string
  readonly rule: Rule
}

/** What a count says about a request. All times are whole milliseconds. */
export interface Taken {
  /** The units that are left. */
  readonly remaining: number
  /** The time until there is one unit more, 1 at least. */
  readonly resetMillis: number
  /** 0 if the count has enough units for the request; otherwise the time until it has. */
  readonly waitMillis: number
}

/** Returns a time in whole milliseconds, 1 at least. */
export const millis = (time: number): number => Math.max(1, Math.ceil(time))
