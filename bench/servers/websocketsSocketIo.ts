// The same with node:http and socket.io, over its WebSocket transport only. Run it with --expose-gc.
import { createServer } from "node:http"
import { Server } from "socket.io"
import { host, port } from "./support/Arguments.ts"
import { memory } from "./support/Memory.ts"

const server = createServer((request, response) => {
  // The path of socket.io has its own listener.
  if (request.url?.startsWith("/socket.io") === true) return
  const body = request.url === "/broadcast" ? broadcast() : memory()
  response.setHeader("content-type", "application/json")
  response.end(JSON.stringify(body))
})

const io = new Server(server, { pingInterval: 600_000, transports: ["websocket"] })

io.on("connection", (socket) => {
  socket.on("message", (data) => socket.send(data))
})

const broadcast = (): number => {
  io.emit("message", { text: "x".repeat(100) })
  return io.engine.clientsCount
}

server.listen(port, host)
