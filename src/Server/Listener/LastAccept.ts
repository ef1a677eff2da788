/** The moment to stop listening. */
import type { Server } from "node:net"
import * as Effect from "effect/Effect"

/** Most connections that are still taken, so that a flood of them cannot put off the stop. */
const most = 10_000

/** How long a short turn of the event loop is waited for, in milliseconds. */
const patience = 100

/** Milliseconds that a turn may take whose end is the moment. */
const short = 0.1

/**
 * Runs `close`, which closes the listening socket of a server, when it has taken
 * every connection that the kernel has accepted: those left would be reset, with
 * the requests that are on them. Node takes one in each turn of its event loop,
 * so under load there is a queue. It is empty when a turn brings none, and what
 * came since is the less the shorter that turn was.
 */
export const before = (server: Server, close: () => void): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const start = performance.now()
    let isNew = true
    let last = start
    let taken = 0
    const onConnection = () => {
      isNew = true
      taken++
    }
    // Immediates run right after the event loop has looked at its sockets.
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
