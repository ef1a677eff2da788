/** Finds the moment to stop listening. */
import type { Server } from "node:net"
import * as Effect from "effect/Effect"

/** The most connections that are still accepted, so that a flood of them cannot delay the stop. */
const most = 10_000

/** How long to wait for a short turn of the event loop, in milliseconds. */
const patience = 100

/** The longest duration of a short turn, in milliseconds. */
const short = 0.1

/**
 * Runs `close`, which closes the listening socket of a server, after the server has taken
 * every connection that the kernel has accepted. Connections that are left would be reset,
 * with the requests on them. Node takes one connection in each turn of its event loop, so
 * under load there is a queue. The queue is empty if a turn brings no connection; the
 * shorter that turn, the fewer connections can have come since.
 */
export const closeAfter = (server: Server, close: () => void): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const start = performance.now()
    let isNew = true
    let last = start
    let taken = 0
    const onConnection = () => {
      isNew = true
      taken++
    }
    // Immediates run right after the event loop has polled its sockets.
    const turn = () => {
      const now = performance.now()
      const isQuiet = !isNew && (now - last < short || now - start > patience)
      if (!isQuiet && taken < most) {
        isNew = false
        last = now
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
