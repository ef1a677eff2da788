import { once } from "node:events"
import * as Net from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { afterEach, assert, describe, it } from "vitest"
import { Linger, maxDropped, maxMillis, maxSilence } from "../../../src/Server/Listener/Linger.ts"

let server: Net.Server | undefined
afterEach(() => {
  server?.close()
})

/** A connection that lingers, and its client, which does not close it. */
const connect = async () => {
  server = Net.createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as Net.AddressInfo
  const client = Net.connect({ allowHalfOpen: true, host: "127.0.0.1", port })
  const [socket] = (await once(server, "connection")) as [Net.Socket]
  client.on("error", () => {}).resume()
  const linger = new Linger(socket)
  socket.on("data", (bytes) => linger.drop(bytes))
  return {
    client,
    close: () => {
      client.destroy()
      socket.destroy()
    },
    /** Ends the connection and returns when its last reply was sent. */
    end: async () => {
      linger.end()
      while (linger.since === undefined) await sleep(1)
      return linger.since
    },
    linger,
    /** Sends an octet and waits until it is read. */
    send: async () => {
      const { bytesRead } = socket
      client.write("x")
      while (socket.bytesRead === bytesRead) await sleep(1)
    },
    socket
  }
}

describe("Linger", () => {
  it("is not over before the last reply is sent", async () => {
    const { close, linger } = await connect()
    assert.isFalse(linger.isOver(performance.now() + 10 * maxMillis))
    close()
  })

  it("is over if the client is silent for maxSilence", async () => {
    const { close, end, linger } = await connect()
    const since = await end()
    assert.isFalse(linger.isOver(since + maxSilence - 1))
    assert.isTrue(linger.isOver(since + maxSilence + 1))
    close()
  })

  it("goes on while the client sends, and is over after maxMillis", async () => {
    const { close, end, linger, send } = await connect()
    const since = await end()
    for (let at = 1000; at < maxMillis; at += 1000) {
      await send()
      assert.isFalse(linger.isOver(since + at))
    }
    await send()
    assert.isTrue(linger.isOver(since + maxMillis + 1))
    close()
  })

  it("reads no more than maxDropped bytes and a few pieces", async () => {
    const { client, close, socket } = await connect()
    client.write(Buffer.alloc(2 * maxDropped))
    while (!socket.isPaused()) await sleep(1)
    await sleep(20)
    assert.isAbove(socket.bytesRead, maxDropped)
    // A paused socket reads another piece into its buffer.
    assert.isBelow(socket.bytesRead, maxDropped + 4 * 65_536)
    close()
  })

  it("does not hold a connection that the client closes", async () => {
    const { client, end, socket } = await connect()
    const closed = once(socket, "close")
    await end()
    client.end("a rest")
    await closed
  })
})
