/** One request as a listener hands it over, and the way back. The compiled lane works on this alone. */
import type * as Context from "effect/Context"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"

/** Why a body could not be read whole. */
export type BodyFailure = "Aborted" | "Malformed" | "TooLarge"

/**
 * A request on the wire. A listener makes one for each request; exactly one
 * `send`, or the general lane, answers it.
 */
export interface Wire {
  /**
   * Reads the body whole and calls back once, at once where nothing is to be
   * waited for. A request without a body gives zero bytes. To be called once.
   */
  readonly body: (limit: number, done: (body: BodyFailure | Uint8Array) => void) => void
  /** The value of a header by its lower-case name; several lines are joined with `, `. */
  readonly header: (name: string) => string | undefined
  /** Names and values as they came: several lines of one name are several pairs. */
  readonly headers: Iterable<readonly [string, string]>
  /** Upper case. */
  readonly method: string
  /** Set by the lane: called when the client goes away before the reply. */
  onAbort: (() => void) | undefined
  /** The peer's address; undefined on a unix socket. */
  readonly remoteAddress: string | undefined
  /**
   * Sends the reply, head and body in one write. `headers` are names and values
   * in turn, without `Content-Length`, `Date` and `Connection`, which the listener
   * adds; `constant` are more of them, in a list that is the same for every reply of a
   * route. The body is left out where HTTP says so (HEAD, 204, 304).
   */
  readonly send: (
    status: number,
    headers: Array<string>,
    body: string | Uint8Array,
    constant?: ReadonlyArray<string>
  ) => void
  /**
   * Sends any reply, a stream or a file among them. Its headers hold the body's
   * type and length already.
   */
  readonly sendResponse: (response: HttpServerResponse) => void
  /** The target in origin form: path and query. */
  readonly target: string
}

/**
 * Answers a request, or says `false` where it is one for the general lane.
 * `references` are what this request alone runs with, such as a test's clock.
 */
export type Dispatch = (wire: Wire, references?: Context.Context<never>) => boolean
