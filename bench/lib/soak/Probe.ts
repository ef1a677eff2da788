/**
 * Loaded into the server's process before its own program (`NODE_OPTIONS=--import`): answers, on a
 * unix socket, what the process holds after a collection. So the server itself needs no change.
 */
import { readdirSync } from "node:fs"
import { createServer } from "node:net"
import { setFlagsFromString, writeHeapSnapshot } from "node:v8"
import { runInNewContext } from "node:vm"

/** What a process holds, in bytes and pieces. */
export interface Held {
  readonly arrayBuffers: number
  /** Open file descriptors, sockets among them. */
  readonly descriptors: number
  readonly external: number
  /** Resources that keep an event loop busy, by kind. */
  readonly handles: Readonly<Record<string, number>>
  /** What the engine has taken for the heap, used or not. */
  readonly heapTotal: number
  /** After a collection. */
  readonly heapUsed: number
  readonly rss: number
}

const path = process.env["SOAK_PROBE"]

if (path !== undefined) {
  // Workers and child processes are not what is measured.
  delete process.env["SOAK_PROBE"]
  delete process.env["NODE_OPTIONS"]
  setFlagsFromString("--expose-gc")
  const gc = runInNewContext("gc") as () => void
  const held = (): Held => {
    gc()
    const { arrayBuffers, external, heapTotal, heapUsed, rss } = process.memoryUsage()
    const handles: Record<string, number> = {}
    for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1
    return {
      arrayBuffers,
      descriptors: readdirSync("/proc/self/fd").length,
      external,
      handles,
      heapTotal,
      heapUsed,
      rss
    }
  }
  createServer((socket) => {
    socket.unref()
    socket.on("error", () => {})
    socket.on("data", (command) => {
      const [name, file] = String(command).trim().split(" ")
      if (name === "snapshot") {
        socket.write(`${writeHeapSnapshot(file)}\n`)
        return
      }
      gc()
      // The second collection takes what finalizers of the first let go.
      setImmediate(() => socket.write(`${JSON.stringify(held())}\n`))
    })
  })
    .listen(path)
    .unref()
}
