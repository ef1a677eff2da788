/** A connection of a channel whose peer the test plays. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { assert, describe, it } from "vitest"
import * as ChannelText from "../../../src/Contract/ChannelText.ts"
import { OpenConnection } from "../../../src/Layers/Realtime/WebSocketConnection.ts"

const text = ChannelText.of(Schema.String)

class TestConnection extends OpenConnection<string, string> {
  readonly channel = {
    count: { bytesIn: 0, bytesOut: 0, messagesIn: 0, messagesOut: 0 },
    limits: {
      bytesPerSecond: 1000,
      closeTimeout: 1000,
      idleTimeout: 1000,
      maxBuffer: 10,
      maxWaiting: 10,
      messagesPerSecond: 10,
      sendTimeout: 1000,
      wire: {
        closeTimeout: 1000,
        compression: undefined,
        idleTimeout: 1000,
        maxFragments: 10,
        maxMessage: 1000
      }
    },
    now: () => 0,
    onInvalid: undefined,
    receive: text,
    send: text
  }
  readonly id = "id"
  begin(): void {}
  changed(): void {}
  fail(): void {}
  finish(): void {}
}

const open = () => {
  const sent: Array<string | Uint8Array> = []
  const peer = {
    buffered: 0,
    canPause: true,
    canPing: true,
    close: () => {},
    destroy: () => {},
    pause: () => {},
    ping: () => {},
    pong: () => {},
    resume: () => {},
    send: (data: string | Uint8Array) => void sent.push(data)
  }
  const connection = new TestConnection(0, undefined)
  connection.onOpened(peer)
  return { connection, peer, sent }
}

describe("a send that waits for the client to read", () => {
  it("goes on when the client has read, also if the connection was looked at before it is told so", async () => {
    const { connection, peer, sent } = open()
    peer.buffered = 11
    const fiber = Effect.runFork(connection.send("a"))
    peer.buffered = 0
    connection.tick(1)
    connection.onDrain()
    await Effect.runPromise(Fiber.join(fiber))
    assert.deepStrictEqual(sent, ['"a"'])
  })

  it("waits on while too many bytes are left", () => {
    const { connection, peer, sent } = open()
    peer.buffered = 12
    Effect.runFork(connection.send("a"))
    peer.buffered = 11
    connection.onDrain()
    assert.deepStrictEqual(sent, [])
  })
})
