import { once } from "node:events"
import * as Net from "node:net"
import * as Effect from "effect/Effect"
import { assert, describe, it } from "vitest"
import * as LastAccept from "../../../src/Server/Listener/LastAccept.ts"

describe("the last accept", () => {
  it("takes every connection that the kernel has, and then listens no more", async () => {
    const count = 50
    let taken = 0
    const server = Net.createServer((socket) => {
      taken++
      socket.end("taken")
    }).listen(0, "127.0.0.1")
    await once(server, "listening")
    const { port } = server.address() as Net.AddressInfo
    // The kernel connects them at once; the process has not looked yet.
    const clients = Array.from({ length: count }, () => Net.connect(port, "127.0.0.1"))
    const replies = Promise.all(
      clients.map(async (client) => {
        let received = ""
        client.on("data", (chunk) => (received += chunk))
        await once(client, "end")
        return received
      })
    )
    let takenAtClose = 0
    await Effect.runPromise(
      LastAccept.closeAfter(server, () => {
        takenAtClose = taken
        server.close()
      })
    )
    assert.strictEqual(takenAtClose, count)
    assert.isFalse(server.listening)
    assert.strictEqual(server.listenerCount("connection"), 1)
    assert.deepStrictEqual(
      await replies,
      Array.from(clients, () => "taken")
    )
  })
})
