/** PGlite behind a stream that speaks PostgreSQL's wire protocol, so that a normal client can use it. */

import { type Duplex, duplexPair } from "node:stream"
import type { PGlite } from "@electric-sql/pglite"

const cancelRequest = 80_877_102
const terminate = 0x58

/**
 * Makes a function that opens a session. PGlite has one session only: use one
 * connection at a time. What an earlier one left open is rolled back and
 * discarded when the next one starts.
 *
 * A request to cancel is ignored: PGlite runs a statement to its end.
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
  // The other end went away; there is nobody to tell.
  server.on("error", () => {})
  return client
}
