/** A stream on which PGlite speaks PostgreSQL's wire protocol, for ordinary clients. */

import { type Duplex, duplexPair } from "node:stream"
import type { PGlite } from "@electric-sql/pglite"

const cancelRequest = 80_877_102
const terminate = 0x58

/**
 * Returns a function that opens a connection. PGlite has one session, so use one
 * connection at a time. When a connection starts, the open transaction and the
 * session state of the previous one are discarded.
 *
 * Cancel requests are ignored, because PGlite cannot stop a statement.
 */
export const make = (database: PGlite) => (): Duplex => {
  const [client, server] = duplexPair()
  let pending: Buffer = Buffer.alloc(0)
  let started = false
  let work: Promise<unknown> = Promise.resolve()

  const then = (task: () => Promise<unknown>) => {
    work = work.then(task).catch((cause: Error) => server.destroy(cause))
  }
  const forward = (message: Uint8Array) =>
    then(() =>
      database.runExclusive(() =>
        database.execProtocolRawStream(message, {
          onRawData: (data) => {
            // PGlite reuses the memory that `data` is a view of.
            if (!server.destroyed) server.write(Buffer.from(data))
          }
        })
      )
    )
  const start = () => {
    started = true
    then(() => database.exec("ROLLBACK"))
    then(() => database.exec("DISCARD ALL"))
    // PGlite ignores the settings that the client sends when it connects.
    then(() => database.exec("SET TIME ZONE 'UTC'; SET DateStyle = 'ISO'"))
  }

  server.on("data", (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    while (true) {
      const head = started ? 1 : 0 // the first message has no type
      if (pending.length < head + 4) return
      const length = head + pending.readInt32BE(head)
      if (pending.length < length) return
      const message = pending.subarray(0, length)
      pending = pending.subarray(length)
      if (!started && message.readInt32BE(4) === cancelRequest) return void server.end()
      if (!started) start()
      else if (message[0] === terminate) return void server.end()
      forward(new Uint8Array(message))
    }
  })
  // The client has disconnected, so nothing can receive the error.
  server.on("error", () => {})
  return client
}
