/** One request as a listener hands it over, and the way back. An exchange works on this alone. */
import type * as Context from "effect/Context"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"

/** Why a body could not be read whole. */
export type BodyFailure = "Aborted" | "Malformed" | "TooLarge"

/** A request on the wire. A listener makes one for each request; exactly one reply is sent on it. */
export interface Wire {
  /**
   * Reads the whole body and calls back once, synchronously if it is already
   * there. A request without a body has zero bytes. Call it once, and not after `open`.
   */
  readonly body: (limit: number, done: (body: BodyFailure | Uint8Array) => void) => void
  /** The value of a header by its lower-case name; several lines are joined with `, `. */
  readonly header: (name: string) => string | undefined
  /** Names and values as they came: several lines of one name are several pairs. */
  readonly headers: Iterable<readonly [string, string]>
  /** Calls back once `open` can be called; synchronously, except for the first ones of a process. */
  readonly load: (then: () => void) => void
  /** Upper case. */
  readonly method: string
  /** Set by the exchange: called when the client goes away before the reply. */
  onAbort: (() => void) | undefined
  /**
   * The request as Effect's own server has it, with streams, multipart and
   * upgrades. Call it once, after `load` and not after `body`.
   */
  readonly open: () => HttpServerRequest
  /** The peer's address; undefined on a unix socket. */
  readonly remoteAddress: string | undefined
  /**
   * Sends a reply of bytes, head and body in one write. `headers` are names and
   * values in turn, without `Content-Length`, `Date` and `Connection`, which the listener
   * adds; `constant` are more of them, in a list that is the same for every reply of a
   * route. The body is left out if HTTP demands it (HEAD, 204, 304). Throws a
   * `TypeError` if a header cannot be sent; then nothing is sent.
   */
  readonly send: (
    status: number,
    headers: Array<string>,
    body: string | Uint8Array,
    constant?: ReadonlyArray<string>
  ) => void
  /**
   * Sends any reply: a stream, a file, or the reply to an opened request. Its
   * headers hold the type and length of the body already. Calls `done` later, once the
   * reply has been sent or the client has gone away.
   */
  readonly sendResponse: (response: HttpServerResponse, done: () => void) => void
  /** The target in origin form: path and query. */
  readonly target: string
}

/**
 * Answers a request. `references` are what this request alone runs with, such as
 * a test's clock.
 */
export type Serve = (wire: Wire, references?: Context.Context<never>) => void
