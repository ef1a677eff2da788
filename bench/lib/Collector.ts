/** An OTLP collector that reads what it is sent, counts it, and keeps nothing. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

export interface Collector {
  /** Bytes of bodies so far, by path. */
  readonly bytes: () => Readonly<Record<string, number>>
  readonly stop: () => Promise<void>
  readonly url: string
}

export const start = async (): Promise<Collector> => {
  const bytes: Record<string, number> = {}
  const server = createServer((request, response) => {
    const path = request.url!
    request.on("data", (chunk: Buffer) => (bytes[path] = (bytes[path] ?? 0) + chunk.length))
    request.on("end", () => response.end())
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    bytes: () => bytes,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
}
