/** An upgraded connection that lets neither its peer nor its handler fill the memory. */
import type { Duplex } from "node:stream"
import type { WebSocket, WebSocketServer } from "@effect/platform-node/NodeWS"
import * as Effect from "effect/Effect"
import * as Socket from "effect/socket/Socket"
import { maxSilence } from "./Linger.ts"

/** The most messages that wait for the handler before the peer has to wait. */
const maxWaiting = 1000

/** The largest limit of a message that `ws` takes. */
const maxPayload = 2 ** 31 - 1

/** The key of the WebSocket in its connection. */
const key = Symbol("flange/UpgradedSocket")

interface Keyed {
  [key]?: WebSocket
}

/** Creates the server of one WebSocket, whose messages have at most `limit` bytes. */
export const acceptor = (Server: typeof WebSocketServer, limit: number): WebSocketServer => {
  const options = {
    clientTracking: false,
    // The types of `ws` lack this option. A peer has this time to answer the closing frame.
    closeTimeout: maxSilence,
    maxPayload: Math.min(limit, maxPayload),
    noServer: true
  }
  const server = new Server(options)
  const { handleUpgrade } = server
  server.handleUpgrade = (request, socket: Duplex & Keyed, head, done) =>
    handleUpgrade.call(server, request, socket, head, (websocket, request) => {
      socket[key] = websocket
      done(websocket, request)
    })
  return server
}

/**
 * Returns a socket whose writes wait until the peer has read the earlier ones, and which
 * stops reading from a peer whose messages wait for the handler. Effect's does not wait with
 * writes to a WebSocket, and counts the bytes of messages only, so that it takes any number
 * of empty ones.
 */
export const bounded =
  (connection: Duplex & Keyed) =>
  ({ reader, writer }: Socket.Socket): Socket.Socket => {
    const flushed = Effect.suspend(() => awaitDrain(connection))
    return Socket.make({
      reader: Effect.map(reader, (inner) => {
        const websocket = connection[key]
        if (websocket === undefined) return inner
        let waiting = 0
        websocket.on("message", () => {
          if (++waiting === maxWaiting) websocket.pause()
        })
        const pull = Effect.map(inner.pull, (messages) => {
          waiting = 0
          if (websocket.isPaused) websocket.resume()
          return messages
        })
        return { ...inner, pull }
      }),
      writer: Effect.map(writer, ({ write, writeAll }) => ({
        write: (chunk) =>
          Socket.isCloseEvent(chunk) ? write(chunk) : Effect.andThen(flushed, write(chunk)),
        writeAll: (chunks) => Effect.andThen(flushed, writeAll(chunks))
      }))
    })
  }

/** Waits until the peer has read enough of what was written, or is gone. */
const awaitDrain = (connection: Duplex): Effect.Effect<void> =>
  connection.writableNeedDrain && !connection.destroyed
    ? Effect.callback((resume) => {
        const off = () => connection.off("close", done).off("drain", done)
        const done = () => {
          off()
          resume(Effect.void)
        }
        connection.once("close", done).once("drain", done)
        return Effect.sync(off)
      })
    : Effect.void
