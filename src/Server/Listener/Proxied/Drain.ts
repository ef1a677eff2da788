import type { Server } from "node:net"
/** The end of a listener's connections, without losing a request. */
import * as Effect from "effect/Effect"
import type { Service } from "./Service.ts"

/** How long a draining listener still reads from an idle connection: a request may be on its way. */
const lingerMillis = 300

/** How often a draining listener looks at its connections, in milliseconds. */
const sweepMillis = 20

/** From now on the last reply on every connection says `Connection: close`. */
export const announceClose = (service: Service): void => {
  service.isDraining = true
}

/**
 * Stops listening. Connections that are idle at this moment stay a while, as a
 * request may already be on its way on them.
 */
export const stopAccepting = (server: Server, service: Service): void => {
  server.close()
  service.clock.every(sweepMillis)
}

/** Waits until no connection is left, closing those that stay silent. */
export const empty = ({ clock, connections }: Service): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const start = clock.now
    const sweep = () => {
      for (const connection of connections) {
        if (connection.isIdle && clock.hasPassed(lingerMillis, Math.max(start, connection.since))) {
          connection.destroy()
        }
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
