// The same with node:http and `ws` and nothing else. Run it with --expose-gc.
import { createServer } from "node:http"
import { WebSocket, WebSocketServer } from "ws"
import { host, port } from "./support/Arguments.ts"
import { memory } from "./support/Memory.ts"

const server = createServer((request, response) => {
  const body = request.url === "/broadcast" ? broadcast() : memory()
  response.setHeader("content-type", "application/json")
  response.end(JSON.stringify(body))
})

const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })

server.on("upgrade", (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, (websocket) => {
    websocket.on("message", (data) => websocket.send(data.toString()))
  })
})

const broadcast = (): number => {
  const text = JSON.stringify({ text: "x".repeat(100) })
  let sent = 0
  for (const websocket of sockets.clients) {
    if (websocket.readyState !== WebSocket.OPEN) continue
    websocket.send(text)
    sent++
  }
  return sent
}

server.listen(port, host)
