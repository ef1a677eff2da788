/** A stream on which PGlite speaks PostgreSQL's wire protocol, for ordinary clients. */

import { type Duplex, duplexPair } from "node:stream"
import { setImmediate } from "node:timers/promises"
import type { PGlite } from "@electric-sql/pglite"

/** Source: PostgreSQL documentation, "Message Formats". */
const cancelRequest = 80_877_102
const commandComplete = 0x43
const execute = 0x45
const portalSuspended = Buffer.from([0x73, 0, 0, 0, 4])
const terminate = 0x58

/** How many rows a statement returns at first, and at most, at once. */
const rowsOfPortion = { first: 64, most: 4096 }

/** How many bytes a statement should return at once. Each portion has a cost of its own. */
const bytesOfPortion = 2 ** 18

const hasNoLimit = (message: Buffer): boolean => message.readInt32BE(message.length - 4) === 0

const limited = (message: Buffer, rows: number): Buffer => {
  const copy = Buffer.from(message)
  copy.writeInt32BE(rows, copy.length - 4)
  return copy
}

/** Whether more rows follow. No other message ends with the byte 4. */
const isSuspended = (reply: Buffer): boolean =>
  reply.subarray(-portalSuspended.length).equals(portalSuspended)

const framed = (type: string, ...body: ReadonlyArray<Uint8Array>): Buffer => {
  const message = Buffer.concat([Buffer.from(`${type}\0\0\0\0`), ...body])
  message.writeInt32BE(message.length - 1, 1)
  return message
}

/** Returns the message that closes the portal of an Execute. */
const closing = (message: Buffer): Buffer => framed("C", Buffer.from("P"), message.subarray(5, -4))

const canceledError = framed(
  "E",
  Buffer.from("SERROR\0VERROR\0C57014\0Mcanceling statement due to user request\0\0")
)

/** Adds rows to the count of the last message, which counts only those of its portion. */
const withRows = (reply: Buffer, rows: number): Buffer => {
  // The tag is a short text: the length before it has zeros and one other byte.
  const start = reply.lastIndexOf(0, -2) - 3
  if (rows === 0 || reply[start] !== commandComplete) return reply
  const tag = reply.toString("latin1", start + 5, reply.length - 1)
  const total = tag.replace(/(?<= )\d+$/, (own) => String(Number(own) + rows))
  return Buffer.concat([reply.subarray(0, start), framed("C", Buffer.from(`${total}\0`))])
}

/**
 * Returns a function that opens a connection. PGlite has one session, so use one
 * connection at a time. When a connection starts, the open transaction and the
 * session state of the previous one are discarded.
 *
 * A statement returns its rows in portions, and waits until the client has read
 * each. A cancel request ends it after a portion, and leaves its transaction as it is.
 * PGlite cannot stop a statement within a portion.
 */
export const make = (database: PGlite): (() => Duplex) => {
  let cancel = () => {}

  return () => {
    const [client, server] = duplexPair()
    let pending: Buffer = Buffer.alloc(0)
    let started = false
    let wake = () => {}
    let work: Promise<unknown> = Promise.resolve()

    const then = (task: () => Promise<unknown>) => {
      work = work.then(task).catch((cause: Error) => server.destroy(cause))
    }
    const ask = (message: Uint8Array): Promise<Buffer> =>
      database.runExclusive(async () => {
        const reply: Array<Buffer> = []
        await database.execProtocolRawStream(message, {
          // PGlite reuses the memory that `data` is a view of.
          onRawData: (data) => void reply.push(Buffer.from(data))
        })
        return Buffer.concat(reply)
      })
    const send = (reply: Buffer) => {
      if (reply.length > 0 && !server.destroyed) server.write(reply)
    }
    const inPortions = async (message: Buffer) => {
      const canceled = new AbortController()
      cancel = () => {
        canceled.abort()
        wake()
      }
      let portion = rowsOfPortion.first
      let rows = 0
      while (true) {
        if (canceled.signal.aborted) {
          await ask(closing(message))
          return send(canceledError)
        }
        const reply = await ask(limited(message, portion))
        if (!isSuspended(reply)) return send(withRows(reply, rows))
        send(reply.subarray(0, -portalSuspended.length))
        rows += portion
        portion = Math.ceil(Math.min(rowsOfPortion.most, (bytesOfPortion * portion) / reply.length))
        // The client and other requests have their turn.
        await setImmediate()
        while (server.writableNeedDrain && !canceled.signal.aborted && !server.destroyed) {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
        if (server.destroyed) return
      }
    }
    const forward = (message: Buffer) =>
      then(async () => {
        if (message[0] !== execute || !hasNoLimit(message)) return send(await ask(message))
        await inPortions(message)
        cancel = () => {}
      })
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
        if (!started && message.readInt32BE(4) === cancelRequest) {
          cancel()
          // The client waits until it is closed, and does not read from it.
          return void client.destroy()
        }
        if (!started) {
          start()
          then(async () => send(await ask(message)))
        } else if (message[0] === terminate) return void server.end()
        else forward(message)
      }
    })
    server.on("drain", () => wake())
    server.on("close", () => wake())
    // The client has disconnected, so nothing can receive the error.
    server.on("error", () => {})
    return client
  }
}
