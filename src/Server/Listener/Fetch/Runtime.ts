/** What a runtime that serves `Request` and `Response` itself has to offer to its listener. */
import type { WebSocket } from "./BoundedWebSocket.ts"

/** A reply: at once, or later. Undefined if the runtime has upgraded the connection. */
export type Answer = Promise<Response | undefined> | Response | undefined

/** A connection that the runtime has upgraded. */
export interface Upgraded {
  /** What the handler of the runtime returns. */
  readonly response: Response | undefined
  readonly socket: WebSocket
}

/** How a connection is upgraded. */
export interface UpgradeOptions {
  /** Names in lower case and values. */
  readonly headers: ReadonlyArray<readonly [string, string]>
  /**
   * The longest silence of a peer, in milliseconds, for a runtime that sends pings by itself. Undefined
   * for the time of the runtime.
   */
  readonly idleTimeout: number | undefined
  readonly protocol: string | undefined
}

/** What the runtime knows about the connection of one request. */
export type Peer = unknown

/** A server of the runtime that listens. */
export interface Server {
  /** Closes every connection at once. */
  readonly close: () => void
  readonly hostname: string
  readonly port: number
  /**
   * Accepts no more connections, closes idle ones, and closes each other one after its reply.
   * Resolves once none is left.
   */
  readonly stop: () => Promise<void>
}

/** A runtime. */
export interface Runtime {
  /** Returns the address of the client. */
  readonly addressOf: (request: Request, peer: Peer) => string | undefined
  /** Lets the connection of a request be silent while its handler works. */
  readonly keepOpen: (request: Request, peer: Peer) => void
  /** Whether the runtime sends no `Date` with a reply to HEAD. */
  readonly omitsDateOfHead: boolean
  /** Listens. Throws the error of the operating system. */
  readonly serve: (options: {
    readonly handle: (request: Request, peer: Peer) => Answer
    readonly hostname: string
    /** The longest silence of a connection, in milliseconds. */
    readonly keepAlive: number
    /** The longest message of a WebSocket, in bytes. */
    readonly maxMessage: number
    readonly port: number
  }) => Server
  /** Upgrades a request to a WebSocket. Throws if it has no valid handshake. */
  readonly upgrade: (request: Request, peer: Peer, options: UpgradeOptions) => Upgraded
}
