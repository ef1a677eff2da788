/** Finds servers that send nothing while a statement waits for them. */
import type { Socket } from "node:net"
import * as Duration from "effect/Duration"
import { longestTimer } from "../../Config/Timer.ts"
import { afterArrivals } from "../../Plugin/Arrivals.ts"

/** How long a connection is idle before the system asks whether its peer is still there. */
export const keepAlive = Duration.seconds(10)

/**
 * How much longer than the server a client waits: the server's own limit keeps the
 * connection, and its error is the better one.
 */
const grace = Duration.seconds(1)

/**
 * Returns `database.statementTimeout` in whole milliseconds. Undefined means no limit: the
 * value is 0, as both servers write it, or more than 24 days.
 */
export const limitOf = (timeout: Duration.Duration): number | undefined => {
  const millis = Math.ceil(Duration.toMillis(timeout))
  // PostgreSQL takes no longer limit either.
  return millis === 0 || millis > longestTimer - Duration.toMillis(grace) ? undefined : millis
}

/** The parts of a session that are watched. */
export interface Watched {
  readonly isWaiting: () => boolean
  /** Closes the connection. The statement fails with the error. */
  readonly lose: (error: Error) => void
  readonly socket: Socket
}

/**
 * Closes the connection if the server sends nothing for the limit, in milliseconds, and
 * the grace while the session waits for it. Time in which the reader of a stream is slower
 * than the server does not count.
 */
export const watch = (limit: number, { isWaiting, lose, socket }: Watched): void => {
  const silence = limit + Duration.toMillis(grace)
  socket.on("timeout", () => {
    if (!isWaiting() || socket.isPaused()) return
    const { bytesRead } = socket
    afterArrivals(() => {
      if (isWaiting() && socket.bytesRead === bytesRead) lose(silent(limit, silence))
    })
  })
  socket.on("resume", () => socket.setTimeout(silence))
  socket.setTimeout(silence)
}

const silent = (limit: number, silence: number): Error => {
  const [most, waited] = [limit, silence].map((millis) => Duration.format(Duration.millis(millis)))
  return new Error(
    `The database sent nothing for ${waited}, so the connection was closed: database.statementTimeout is ${most}. The server or the network has stopped, or the statement takes longer; it may have run. Raise database.statementTimeout for longer statements.`
  )
}
