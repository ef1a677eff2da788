/** Begins HTTP/2 on connections. */
import type { Http2Server, ServerHttp2Session } from "node:http2"
import type { Socket } from "node:net"
import type { ServerConfig } from "../../../ServerConfig.ts"

/** The pseudo-header fields of a request. */
const pseudo = 4

/** What a client that knows that the server speaks HTTP/2 sends first. Source: RFC 9113, section 3.4. */
export const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

/** Returns the function that begins a session on a connection. */
export const make = (
  config: (typeof ServerConfig)["Service"]
): ((socket: Socket) => ServerHttp2Session) => {
  // Loaded here, because most apps do not need it.
  const { createServer } = process.getBuiltinModule("node:http2")
  // It does not listen: connections are handed to it.
  const server: Http2Server = createServer({
    maxHeaderListPairs: config.maxHeaders + pseudo,
    maxSettings: 32,
    settings: {
      enablePush: false,
      maxConcurrentStreams: config.maxStreams,
      maxHeaderListSize: config.maxHeaderBytes
    }
  })
  return (socket) => {
    // Servers of HTTP/1.1 let a client end its side. Here the end of one side ends the connection.
    socket.allowHalfOpen = false
    let made: ServerHttp2Session | undefined
    server.once("session", (session) => {
      made = session
    })
    server.emit("connection", socket)
    // Node emits the session synchronously.
    return made!
  }
}
