import { spawn } from "node:child_process"
import { once } from "node:events"
import { connect } from "node:net"
import { createInterface } from "node:readline"
import { expect, it } from "vitest"
import { afterArrivals } from "../../src/Plugin/Arrivals.ts"

/** A server that answers each byte after 50 ms, in a process that nothing keeps busy. */
const server = `
  require("node:net")
    .createServer((socket) => socket.on("data", () => setTimeout(() => socket.write("x"), 50)))
    .listen(0, "127.0.0.1", function () { console.log(this.address().port) })`

it("data that arrived during a long computation is read before what a timer calls after arrivals", async () => {
  const child = spawn("node", ["--eval", server], { stdio: ["ignore", "pipe", "inherit"] })
  try {
    const [port] = (await once(createInterface(child.stdout), "line")) as [string]
    const socket = connect(Number(port), "127.0.0.1")
    await once(socket, "connect")
    let isRead = false
    socket.on("data", () => (isRead = true))
    // Each answer arrives while the process computes.
    for (let i = 0; i < 10; i++) {
      isRead = false
      socket.write("?")
      // The byte is sent.
      await new Promise((resolve) => setTimeout(resolve, 10))
      const seen = new Promise((resolve) => {
        setTimeout(() => afterArrivals(() => resolve(isRead)), 30)
      })
      const end = performance.now() + 250
      while (performance.now() < end);
      expect(await seen).toBe(true)
    }
    socket.destroy()
  } finally {
    child.kill()
  }
})
