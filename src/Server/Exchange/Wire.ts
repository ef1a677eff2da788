/** The interface between listeners and exchanges: a request, and how its reply is sent. */
import type { X509Certificate } from "node:crypto"
import type * as Context from "effect/Context"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type { Source } from "./PushedBody.ts"
import type { WebSocketUpgrade } from "./WebSocketUpgrade.ts"

/** Why a body could not be read whole. `Fragmented`: it came in too many small pieces. */
export type BodyFailure = "Aborted" | "Fragmented" | "Malformed" | "TooLarge"

/** The TLS connection of a request. */
export interface Tls {
  /**
   * The certificate that the client has shown, if an authority of `server.tls.clientCa` has issued it
   * and it is valid; undefined for any other.
   */
  readonly clientCertificate: X509Certificate | undefined
}

/**
 * A request on the wire. A listener makes one for each request; exactly one reply is sent on
 * it.
 */
export interface Wire {
  /** Whether the request is a handshake of a WebSocket that the listener can accept with `upgrade`. */
  readonly acceptsWebSocket?: boolean
  /**
   * Reads the whole body and calls back once, synchronously if it is already
   * there. A request without a body has zero bytes. Call it once, and not after `open`.
   */
  readonly body: (limit: number, done: (body: BodyFailure | Uint8Array) => void) => void
  /** Returns the value of a header by its lower-case name; several lines are joined with `, `. */
  readonly header: (name: string) => string | undefined
  /** Names and values as they were sent: each line is a pair. */
  readonly headers: Iterable<readonly [string, string]>
  /** The version of HTTP, such as `1.1`; undefined if the listener knows none. */
  readonly httpVersion: string | undefined
  /**
   * Calls back once `open` can be called. It waits only while a process opens its first
   * request.
   */
  readonly load: (then: () => void) => void
  /** The method as it was sent: methods are case-sensitive. */
  readonly method: string
  /** The listener calls it if the client disconnects before the reply. The exchange sets it. */
  onAbort: (() => void) | undefined
  /** The listener calls it when the connection has another protocol. The exchange sets it. */
  onUpgrade?: (() => void) | undefined
  /**
   * Returns the request of Effect's own server, which has streams, multipart and
   * upgrades. Call it once, after `load` and not after `body`.
   */
  readonly open: () => HttpServerRequest
  /**
   * Sends a reply whose body `source` writes over time, without a fiber for it. `headers` are all its header
   * lines, and its status is one with a body. Calls `done` later, once the reply has ended or the client
   * has gone away. A listener without it gets such a body as a stream.
   */
  readonly push?: (status: number, headers: Array<string>, source: Source, done: () => void) => void
  /** The peer's address; undefined on a unix socket. */
  readonly remoteAddress: string | undefined
  /**
   * Sends a reply of bytes, head and body in one write. `headers` are names and values
   * in turn; the listener adds `Content-Length`, `Date` and `Connection`. `constant` are
   * more headers, in one list for all replies of a route. The body is left out if HTTP
   * forbids one (HEAD, 204, 304). Throws a `TypeError` before anything is sent if a
   * header cannot be sent.
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
  /** The TLS of its connection; undefined if the server itself does not speak TLS on it. */
  readonly tls?: Tls | undefined
  /**
   * Sends a reply that upgrades the connection to a WebSocket. `headers` are names and values in
   * turn. Call it only if `acceptsWebSocket` is true.
   */
  readonly upgrade?: (upgrade: WebSocketUpgrade, headers: ReadonlyArray<string>) => void
}

/** Answers a request. `references` are for this request only, such as a test's clock. */
export type Serve = (wire: Wire, references?: Context.Context<never>) => void
