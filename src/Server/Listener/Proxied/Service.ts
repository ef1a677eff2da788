import type * as Http from "node:http"
import type { Socket } from "node:net"
/** What the connections of a listener share. */
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type { Dispatch } from "../../Exchange/Wire.ts"
import type { Clock } from "./Clock.ts"
import type { Limits } from "./Limits.ts"
import type { Timeouts } from "./Timeouts.ts"

/** What a listener sees of a connection. */
export interface Served {
  /** Cuts it. */
  readonly destroy: () => void
  /** Whether nothing is going on that a client could wait for. */
  readonly isIdle: boolean
  /** When it became idle, on the listener's clock. */
  readonly since: number
  /** Looks at the time. */
  readonly tick: () => void
}

/** What the connections of a listener share. */
export interface Service {
  readonly clock: Clock
  readonly connections: Set<Served>
  readonly dispatch: Dispatch
  readonly general: (request: Http.IncomingMessage, reply: Http.ServerResponse) => void
  /** Whether a client may end its side and still wait for replies. */
  readonly halfClose: boolean
  /** Whether every last reply on a connection says that it closes. */
  isDraining: boolean
  readonly limits: Limits
  readonly maxPipelined: number
  readonly other: (
    request: Http.IncomingMessage,
    reply: Http.ServerResponse,
    response: HttpServerResponse
  ) => void
  readonly timeouts: Timeouts
  readonly upgrade: (request: Http.IncomingMessage, socket: Socket, rest: Buffer) => void
}
