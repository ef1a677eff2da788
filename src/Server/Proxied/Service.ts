import type * as Http from "node:http"
import type { Socket } from "node:net"
/** What the connections of a listener share. */
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type { Dispatch } from "../Wire.ts"
import type { Clock } from "./Clock.ts"
import type { Connection } from "./Connection.ts"
import type { Limits } from "./Limits.ts"

/** What the connections of a listener share. Times are in milliseconds. */
export interface Service {
  readonly bodyTimeout: number
  readonly clock: Clock
  readonly connections: Set<Connection>
  readonly dispatch: Dispatch
  readonly general: (request: Http.IncomingMessage, reply: Http.ServerResponse) => void
  /** Whether a client may end its side and still wait for replies. */
  readonly halfClose: boolean
  readonly headersTimeout: number
  /** Whether every last reply on a connection says that it closes. */
  isDraining: boolean
  readonly keepAlive: number
  readonly limits: Limits
  readonly maxPipelined: number
  readonly other: (
    request: Http.IncomingMessage,
    reply: Http.ServerResponse,
    response: HttpServerResponse
  ) => void
  readonly requestTimeout: number
  readonly upgrade: (request: Http.IncomingMessage, socket: Socket, rest: Buffer) => void
}
