/** The listener on `Deno.serve`. */
import type { Listener } from "../Listener.ts"
import type { WebSocket } from "./BoundedWebSocket.ts"
import * as FetchListener from "./FetchListener.ts"
import type { Answer } from "./Runtime.ts"

/** The parts of Deno that are used here. */
interface Deno {
  readonly serve: (
    options: {
      readonly hostname: string
      readonly onListen: () => void
      readonly port: number
      readonly signal: AbortSignal
    },
    handler: (request: Request, info: Info) => Answer
  ) => {
    readonly addr: { readonly hostname: string; readonly port: number }
    readonly shutdown: () => Promise<void>
  }
  readonly upgradeWebSocket: (
    request: Request,
    options: object
  ) => { readonly response: Response; readonly socket: EventTarget & Omit<WebSocket, "terminate"> }
}

interface Info {
  readonly remoteAddr: { readonly hostname?: string }
}

// The types of Deno would be those of every module here.
const deno = () => (globalThis as unknown as { readonly Deno: Deno }).Deno

/** Listens on `server.host` and `server.port` with `Deno.serve`. Fails with `BindError`. */
export const listen: Listener = FetchListener.make({
  addressOf: (_, info) => {
    try {
      return (info as Info).remoteAddr.hostname
    } catch {
      // The request has ended.
      return undefined
    }
  },
  keepOpen: () => {},
  omitsDateOfHead: false,
  serve: ({ handle, hostname, port }) => {
    const cut = new AbortController()
    let isStopped = false
    const server = deno().serve({ hostname, onListen: () => {}, port, signal: cut.signal }, handle)
    return {
      // It throws for a server that has been told to stop, which then ends with its requests.
      close: () => {
        if (!isStopped) cut.abort()
      },
      hostname: server.addr.hostname,
      port: server.addr.port,
      stop: () => {
        isStopped = true
        return server.shutdown()
      }
    }
  },
  upgrade: (request, _, { headers, idleTimeout, protocol }) => {
    const { response, socket } = deno().upgradeWebSocket(request, {
      ...(idleTimeout !== undefined && { idleTimeout: idleTimeout / 1000 }),
      ...(protocol !== undefined && { protocol })
    })
    for (const [name, value] of headers) response.headers.append(name, value)
    // Deno waits for the closing frame of the peer, however long that takes.
    const terminate = () => void socket.dispatchEvent(new CloseEvent("close", { code: 1006 }))
    return { response, socket: Object.assign(socket, { terminate }) }
  }
})
