import type { Server } from "node:net"
/** The moment to stop listening. */
import * as Effect from "effect/Effect"

/** Most connections that are still taken, so that a flood of them cannot put off the stop. */
const most = 10_000

/**
 * Runs `close`, which closes the listening socket of a server, when it has taken
 * every connection that the kernel has accepted: those left would be reset, with
 * the requests that are on them. Node takes one in each turn of its event loop,
 * so under load there is a queue. It is empty when a turn brings none.
 */
export const before = (server: Server, close: () => void): Effect.Effect<void> =>
  Effect.callback((resume) => {
    let isNew = true
    let taken = 0
    const onConnection = () => {
      isNew = true
      taken++
    }
    // Immediates run right after the event loop has looked at its sockets.
    const turn = () => {
      if (isNew && taken < most) {
        isNew = false
        setImmediate(turn)
        return
      }
      server.off("connection", onConnection)
      close()
      resume(Effect.void)
    }
    server.on("connection", onConnection)
    setImmediate(turn)
  })
