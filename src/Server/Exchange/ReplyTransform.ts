/** Changes of finished replies, such as their compression. */
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Incoming } from "./Before.ts"

/** A reply that only has to be sent. */
export interface Finished {
  /** Undefined for a file and other bodies whose bytes only the listener reads. */
  readonly body: Stream.Stream<Uint8Array, unknown> | string | Uint8Array | undefined
  /** Returns the value of a header of the reply by its lower-case name. */
  readonly header: (name: string) => string | undefined
  readonly status: number
}

/** What changes in a reply. Header lines are names in lower case and values in turn. */
export interface Change {
  /** Lines of lists, such as `vary`, that are added to others of their name. */
  readonly added?: ReadonlyArray<string> | undefined
  /** Undefined if the body stays. */
  readonly body?: Stream.Stream<Uint8Array, unknown> | Uint8Array | undefined
  /** Lines that replace others of their name. */
  readonly set?: ReadonlyArray<string> | undefined
}

/**
 * Returns the change of a finished reply, or `undefined` to leave the reply as it is. An effect is for
 * a change that has to be waited for. It is interrupted if the client disconnects. If the function
 * throws or the effect dies, the reply is a 500.
 */
export type Transform = (
  request: Incoming,
  reply: Finished
) => Change | Effect.Effect<Change | undefined> | undefined
