/** The listener on `Bun.serve`. */
import type { Listener } from "../Listener.ts"
import { BunSocket } from "./BunSocket.ts"
import * as FetchListener from "./FetchListener.ts"
import type { Answer } from "./Runtime.ts"

/** The parts of Bun that are used here. */
interface Bun {
  readonly serve: (options: {
    readonly fetch: (request: Request, server: BunServer) => Answer
    readonly hostname: string
    readonly idleTimeout: number
    readonly maxRequestBodySize: number
    readonly port: number
    readonly websocket: object
  }) => BunServer
}

interface BunServer {
  readonly hostname: string
  readonly port: number
  readonly requestIP: (request: Request) => { readonly address: string } | null
  readonly stop: (closeActive?: boolean) => Promise<void>
  readonly timeout: (request: Request, seconds: number) => void
  readonly upgrade: (request: Request, options: object) => boolean
}

/** The longest timeout that Bun takes, in seconds. */
const maxTimeout = 255

/** Listens on `server.host` and `server.port` with `Bun.serve`. Fails with `BindError`. */
export const listen: Listener = FetchListener.make({
  addressOf: (request, server) => (server as BunServer).requestIP(request)?.address,
  keepOpen: (request, server) => (server as BunServer).timeout(request, 0),
  omitsDateOfHead: true,
  serve: ({ handle, hostname, keepAlive, maxMessage, port }) => {
    // The types of Bun would be those of every module here.
    const { Bun } = globalThis as unknown as { readonly Bun: Bun }
    const server = Bun.serve({
      fetch: handle,
      hostname,
      idleTimeout: Math.min(maxTimeout, Math.ceil(keepAlive / 1000)),
      // The exchange knows the limit of the route, and its reply is a problem document.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      port,
      websocket: BunSocket.handlers(maxMessage)
    })
    return {
      close: () => void server.stop(true),
      hostname: server.hostname,
      port: server.port,
      stop: () => server.stop()
    }
  },
  upgrade: (request, server, { headers, protocol }) => {
    const socket = new BunSocket()
    const lines =
      protocol === undefined ? headers : [...headers, ["sec-websocket-protocol", protocol]]
    if (!(server as BunServer).upgrade(request, { data: socket, headers: lines })) {
      throw new Error("Bun refused the handshake")
    }
    return { response: undefined, socket }
  }
})
