/** The ordered stop of a socket listener, which loses no request. */
import * as Net from "node:net"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Bound } from "../../Plugin/Host.ts"
import { CurrentWorker } from "../../Plugin/Worker.ts"
import type { Serving } from "../Exchange/Serving.ts"
import * as LastAccept from "./LastAccept.ts"

/** How long a client may take to read the last reply on a connection and close its side. */
export const lastReplyMillis = 1000

/** How long an idle connection stays open during the drain: a request may be on its way. */
const idleMillis = 300

/** The interval between searches for idle connections. */
export const sweepMillis = 20

/** A connection of a listener, as its drain sees it. */
export interface Connection {
  /** Closes it at once. */
  readonly destroy: () => void
  /** Whether its last reply is sent, and its client has not closed its side. */
  readonly isEnded: boolean
  /** Whether it has no open request, and no request has begun to arrive. */
  readonly isIdle: boolean
  /** When it became idle or ended, as a reading of `performance.now()`. */
  readonly since: number
}

/** The parts of a listener that its drain needs. */
export interface Drainable {
  /** Puts `Connection: close` on the last reply of every connection from now on. */
  readonly announceClose: () => void
  /** All open connections, kept up to date by the listener. */
  readonly connections: ReadonlySet<Connection>
  /** The scope of the replies that Effect's server sends; closing it interrupts them. */
  readonly requests: Scope.Closeable
  readonly server: Net.Server
  readonly serving: Serving
}

/**
 * Returns the drain of a bound listener. When the scope closes, the listener and its
 * connections close at once.
 */
export const make = ({
  announceClose,
  connections,
  requests,
  server,
  serving
}: Drainable): Effect.Effect<Bound["drain"], never, Scope.Scope> => {
  const cutAll = () => {
    for (const connection of connections) connection.destroy()
  }
  const drain: Bound["drain"] = ({ delay, timeout }) =>
    Effect.gen(function* () {
      announceClose()
      yield* Effect.sleep(delay)
      yield* LastAccept.closeAfter(server, () => stopAccepting(server))
      const { handedOver = Effect.void } = (yield* CurrentWorker) ?? {}
      // In this order: a connection that is still open can bring another exchange.
      const empty = Effect.andThen(closed(connections, performance.now()), serving.idle)
      yield* Effect.timeoutOption(Effect.andThen(handedOver, empty), timeout)
      // Effect's server may have to send the reply to an interrupted exchange.
      const interrupted = Effect.andThen(serving.interrupt, Scope.close(requests, Exit.void))
      yield* Effect.timeoutOption(Effect.andThen(interrupted, empty), lastReplyMillis)
      cutAll()
    }).pipe(Effect.interruptible)
  return Effect.as(
    Effect.addFinalizer(() =>
      Effect.sync(() => {
        server.close()
        cutAll()
      })
    ),
    drain
  )
}

/**
 * Stops listening. `close` of an HTTP server would also close idle connections, on which a
 * request may be on its way.
 */
const stopAccepting = (server: Net.Server): void => {
  Net.Server.prototype.close.call(server)
}

/**
 * Waits until no connection is left, and closes connections that stay idle or ended after
 * `start`.
 */
const closed = (connections: ReadonlySet<Connection>, start: number): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const sweep = () => {
      const now = performance.now()
      for (const connection of connections) {
        const patience = connection.isEnded
          ? lastReplyMillis
          : connection.isIdle
            ? idleMillis
            : Number.POSITIVE_INFINITY
        if (now - Math.max(start, connection.since) >= patience) connection.destroy()
      }
      if (connections.size === 0) {
        clearInterval(timer)
        resume(Effect.void)
      }
    }
    const timer = setInterval(sweep, sweepMillis)
    sweep()
    return Effect.sync(() => clearInterval(timer))
  })
