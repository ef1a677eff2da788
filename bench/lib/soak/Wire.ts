/** Connections that do what a well-behaved client would not. */
import { connect, type Socket } from "node:net"

const head = (request: string) => `${request}\r\nHost: bench\r\n`

/** A request as bytes. */
export const bytesOf = (
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body = ""
): string => {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const length = body === "" ? "" : `Content-Length: ${Buffer.byteLength(body)}\r\n`
  return `${head(`${method} ${path} HTTP/1.1`)}${lines.join("")}${length}\r\n${body}`
}

/** How many statuses of replies a text begins lines with. */
const statusLine = /HTTP\/1\.1 (\d{3}) /g

/**
 * Opens a connection, lets `use` do with it what it wants, and gives the statuses
 * of all the replies that came until it closed.
 */
export const raw = (
  port: number,
  use: (socket: Socket, replies: () => number) => void
): Promise<ReadonlyArray<number>> =>
  new Promise((resolve) => {
    const statuses: Array<number> = []
    // A server that answers before all is sent may reset the connection: that is no failure here.
    const socket = connect({ allowHalfOpen: true, host: "127.0.0.1", noDelay: true, port })
    socket.on("connect", () => use(socket, () => statuses.length))
    socket.on("data", (chunk: Buffer) => {
      for (const [, status] of chunk.toString("latin1").matchAll(statusLine)) {
        statuses.push(Number(status))
      }
      socket.emit("replied")
    })
    socket.on("end", () => socket.end())
    socket.on("error", () => {})
    socket.on("close", () => resolve(statuses))
  })
