import { spawn } from "node:child_process"
import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { createInterface } from "node:readline"
import { expect, it } from "vitest"
import { afterArrivals } from "../../src/Plugin/Arrivals.ts"

/** A server that answers each byte with "1" after 50 ms and "2" after 150 ms. Nothing keeps its process busy. */
const server = `
  require("node:net")
    .createServer((socket) => socket.on("data", () => {
      setTimeout(() => socket.write("1"), 50)
      setTimeout(() => socket.write("2"), 150)
    }))
    .listen(0, "127.0.0.1", function () { console.log(this.address().port) })`

const withServer = async (test: (socket: Socket) => Promise<void>) => {
  const child = spawn("node", ["--eval", server], { stdio: ["ignore", "pipe", "inherit"] })
  try {
    const [port] = (await once(createInterface(child.stdout), "line")) as [string]
    const socket = connect(Number(port), "127.0.0.1")
    await once(socket, "connect")
    await test(socket)
    socket.destroy()
  } finally {
    child.kill()
  }
}

/** Keeps the process busy. The answers arrive meanwhile. */
const compute = () => {
  const end = performance.now() + 400
  while (performance.now() < end);
}

it("data that arrived during a long computation is read before what a timer calls after arrivals", () =>
  withServer(async (socket) => {
    let isRead = false
    socket.on("data", () => (isRead = true))
    for (let i = 0; i < 8; i++) {
      isRead = false
      socket.write("?")
      // The byte is sent.
      await new Promise((resolve) => setTimeout(resolve, 10))
      const seen = new Promise((resolve) => {
        setTimeout(() => afterArrivals(() => resolve(isRead)), 30)
      })
      compute()
      expect(await seen).toBe(true)
    }
  }))

it("also if the computation begins with other data", () =>
  withServer(async (socket) => {
    for (let i = 0; i < 8; i++) {
      let read = ""
      socket.write("?")
      const seen = new Promise((resolve) => {
        socket.on("data", (data) => {
          const isFirst = read === ""
          read += String(data)
          if (!isFirst) return
          setTimeout(() => afterArrivals(() => resolve(read)), 30)
          compute()
        })
      })
      expect(await seen).toBe("12")
      socket.removeAllListeners("data")
    }
  }))
