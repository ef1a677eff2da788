// node:http with event streams, by hand. Run it with --expose-gc.
import { createServer, type ServerResponse } from "node:http"
import { host, port, ready } from "./support/Arguments.ts"
import { resident } from "./support/Resident.ts"

const streams = new Set<ServerResponse>()

const json = (response: ServerResponse, body: unknown) => {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body))
}

let id = 0

createServer((request, response) => {
  switch (request.url) {
    case "/events":
      response.writeHead(200, {
        "cache-control": "no-store, no-transform",
        "content-type": "text/event-stream",
        "x-accel-buffering": "no"
      })
      response.write("id: 0\n\n")
      streams.add(response)
      response.on("close", () => streams.delete(response))
      return
    case "/memory":
      return json(response, resident())
    case "/send": {
      const event = `id: ${++id}\nevent: news\ndata: ${JSON.stringify({ text: "x".repeat(100) })}\n\n`
      for (const stream of streams) stream.write(event)
      return json(response, streams.size)
    }
  }
  response.writeHead(404).end()
}).listen(port, host, ready)
